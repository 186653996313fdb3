"""Word count by Polars, written as word<tab>count. Arguments: file, folder, threads."""

import os
import sys

source, folder, threads = sys.argv[1:4]
# It reads this once, when it is imported.
os.environ["POLARS_MAX_THREADS"] = threads
import polars as pl  # noqa: E402

os.mkdir(folder)
words = pl.scan_lines(source, name="line").select(
    pl.col("line").str.to_lowercase().str.extract_all(r"[a-z0-9'\x{80}-\x{10ffff}]+").alias("word")
)
# Sinks run in the streaming engine, which its manual advises for data that need not fit into memory.
words.explode("word").drop_nulls().group_by("word").len().sink_csv(
    os.path.join(folder, "part-0"), separator="\t", include_header=False, quote_style="never", engine="streaming"
)
