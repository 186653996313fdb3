/**
 * Hits, bytes and server errors per URL from access logs, then the 20 URLs with the most hits as a second job over the output of the first:
 * `outlast map-reduce urls.ts --job hits-by-url`, then `outlast map-reduce urls.ts --job top-urls`. The second reads what the manifest of the
 * first names; `-c job:ID` would wait for it as well.
 */
import { jsonl, lines, mapReduce, topK, tsv } from "outlast/mapreduce";

interface Hits {
  hits: number;
  bytes: number;
  errors: number;
}

const pattern = /^\S+ \S+ \S+ \[[^\]]+\] "\w+ (\S+) [^"]*" (\d{3}) (\d+|-)/;

export const hitsByUrl = mapReduce({
  name: "hits-by-url",
  input: lines("logs/access*.log"),
  reduces: 4,
  maxSkipped: "1%", // the job fails if more than 1 % of the lines are bad
  map(line: string, emit: (url: string, hits: Hits) => void, ctx) {
    const [, url = "", status = "", bytes] = pattern.exec(line) ?? [];
    if (url === "") return ctx.skip("unparsable");
    emit(url.split("?")[0] ?? "", {
      hits: 1,
      bytes: bytes === "-" ? 0 : Number(bytes),
      errors: status >= "500" ? 1 : 0,
    });
    ctx.count(`status ${status.charAt(0)}xx`);
  },
  combine: (one: Hits, other: Hits) => ({
    hits: one.hits + other.hits,
    bytes: one.bytes + other.bytes,
    errors: one.errors + other.errors,
  }),
  output: tsv("out/urls"),
});

export const topUrls = mapReduce({
  name: "top-urls",
  input: lines("out/urls"),
  map(line: string, emit: (key: string, url: Hits & { url: string }) => void) {
    const [url = "", hits = "{}"] = line.split("\t");
    emit("top", { url, ...(JSON.parse(hits) as Hits) });
  },
  combine: topK<Hits & { url: string }>(20, ({ hits }) => hits),
  output: jsonl("out/top-urls"),
});
