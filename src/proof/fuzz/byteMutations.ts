/** Changes bytes without knowing what they mean: flips, cuts, doubles, moves, and puts in what parsers stumble over. */
import type { Random } from "../simulation/random.ts";

const tokens = [
  ...[
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\0",
    "\t",
    " ",
    ":",
    "{",
    "}",
    "[",
    '"',
    "\\",
    ",",
    "%00",
    "%",
    "..",
    "/",
    "?",
    "&",
  ],
  ...[
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: xchunked\r\n",
  ],
  ...[
    "Host: evil.example\r\n",
    "Connection: close\r\n",
    "Connection: upgrade\r\nUpgrade: h2c\r\n",
    "Expect: 100-continue\r\n",
  ],
  ...["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "GET ", "POST ", "HEAD ", "CONNECT ", "\u00ff", "\u{1f4a3}", "0\r\n\r\n"],
  ...["-1", "9007199254740993", "1e400", "__proto__", "\\ud800", "null", "true", "/v1/tasks", "ffffffffffffffff\r\n"],
].map((text) => Buffer.from(text));

export function mutateBytes(original: Buffer, random: Random): Buffer {
  let bytes = original;
  for (let left = random.pick([1, 1, 2, 3, 8]); left > 0; left--) bytes = mutateOnce(bytes, random);
  return bytes;
}

function mutateOnce(bytes: Buffer, random: Random): Buffer {
  const at = random.integer(0, bytes.length);
  const length = Math.min(bytes.length - at, random.spread(1, 64));
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)];
  switch (random.integer(0, 7)) {
    case 0:
      return Buffer.concat([before, flip(piece, random), after]);
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([before, piece, piece, after]);
    case 3:
      return Buffer.concat([before, random.pick(tokens), after]);
    case 4:
      return Buffer.concat([before, random.pick(tokens), piece, after]);
    case 5:
      return Buffer.from(before);
    case 6: {
      const to = random.integer(0, after.length);
      return Buffer.concat([before, after.subarray(0, to), piece, after.subarray(to)]);
    }
    default:
      return Buffer.concat([before, Buffer.from(piece).reverse(), after]);
  }
}

function flip(piece: Buffer, random: Random): Buffer {
  const flipped = Buffer.from(piece);
  const at = random.integer(0, Math.max(0, flipped.length - 1));
  if (flipped.length > 0) flipped[at] = (flipped[at] ?? 0) ^ (1 << random.integer(0, 7));
  return flipped;
}
