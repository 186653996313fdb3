/** Word count on bytes: about twice as fast as on lines. A word is letters and digits of ASCII, apostrophes, and all beyond ASCII. */
import { chunks, mapReduce, tsv } from "outlast/mapreduce";

/** By byte: what it becomes within a word; 0 if it ends a word. */
const letters = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isUpper = byte >= 65 && byte <= 90;
  const isWord = isUpper || (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57) || byte === 39 || byte >= 128;
  return isUpper ? byte + 32 : isWord ? byte : 0;
});

export const wordcountBytes = mapReduce({
  name: "wordcount-bytes",
  input: chunks("data/*.txt"),
  maps: 100,
  reduces: 20,
  map(bytes, emit) {
    let start = -1;
    for (let at = 0; at < bytes.length; at += 1) {
      const letter = letters[bytes[at] ?? 0] ?? 0;
      if (letter !== 0) {
        bytes[at] = letter;
        if (start === -1) start = at;
      } else if (start !== -1) {
        emit(bytes, start, at, 1);
        start = -1;
      }
    }
    if (start !== -1) emit(bytes, start, bytes.length, 1);
  },
  combine: "sum",
  output: tsv("out/wordcount"),
});
