"""Word count by DuckDB, written as word<tab>count. Arguments: file, folder, threads."""

import os
import sys

import duckdb

source, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.mkdir(folder)
# Its manual advises both: as many threads as cores, and no order to keep where none is asked for.
database = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False})
# A separator that no text holds, and no quotes: so each line is one value, and the file is read by all threads.
database.execute(
    r"""
    COPY (
      SELECT word, count(*)
      FROM (
        SELECT unnest(regexp_extract_all(lower(line), '[a-z0-9''\x{80}-\x{10ffff}]+')) AS word
        FROM read_csv($source, columns = {'line': 'VARCHAR'}, header = false, auto_detect = false,
                      delim = chr(31), quote = '', escape = '')
      )
      GROUP BY word
    ) TO $target (FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '')
    """,
    {"source": source, "target": os.path.join(folder, "part-0")},
)
