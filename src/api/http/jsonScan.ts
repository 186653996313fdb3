/** Scans the bytes of a JSON text before it is parsed, because `JSON.parse` accepts any depth and may take seconds. */
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import { forbiddenKeys } from "../../model/strictJson.ts";

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const zero = 0x30;
const nine = 0x39;
const lowerE = 0x65;
const upperE = 0x45;
const lowerU = 0x75;

/** Every integer of fewer digits is safe. */
const suspiciousDigits = String(Number.MAX_SAFE_INTEGER).length;

/**
 * Checks depth and keys per object in one pass without allocations per value. The text need not be valid JSON.
 * @returns whether values must be checked after parsing: large numbers, escapes, keys such as `__proto__`
 * @throws OutlastError `bad-json` with `limit`
 */
export function scanJson(bytes: Uint8Array): { readonly isSuspicious: boolean } {
  const keysAtDepth = new Int32Array(limits.jsonDepthMax + 1);
  const end = bytes.length;
  let depth = 0;
  let digits = 0;
  let isSuspicious = false;
  let at = 0;
  while (at < end) {
    const byte = bytes[at++];
    if (byte === quote) {
      const start = at;
      let inside = at < end ? bytes[at++] : quote;
      while (inside !== quote && at < end) {
        if (inside === backslash) {
          if (bytes[at] === lowerU) isSuspicious = true;
          at++;
          if (at >= end) break;
        }
        inside = bytes[at++];
      }
      if (isPrototypeName(bytes, start, at - 1)) isSuspicious = true;
      digits = 0;
    } else if (byte !== undefined && byte >= zero && byte <= nine) {
      digits++;
      if (digits >= suspiciousDigits) isSuspicious = true;
    } else {
      if (byte === openBrace || byte === openBracket) {
        depth++;
        if (depth > limits.jsonDepthMax) throw tooDeep();
        keysAtDepth[depth] = 0;
      } else if (byte === closeBrace || byte === closeBracket) {
        if (depth > 0) depth--;
      } else if (byte === colon) {
        const keys = (keysAtDepth[depth] ?? 0) + 1;
        if (keys > limits.jsonKeysPerObjectMax) throw tooManyKeys();
        keysAtDepth[depth] = keys;
      } else if ((byte === lowerE || byte === upperE) && digits > 0) {
        isSuspicious = true;
      }
      digits = 0;
    }
  }
  return { isSuspicious };
}

/** True for `__proto__`, `constructor` or `prototype`; length and first letter are compared first because that is cheap. */
function isPrototypeName(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length !== 9 && length !== 11) return false;
  const first = bytes[start];
  if (first !== 0x5f && first !== 0x63 && first !== 0x70) return false;
  return forbiddenKeys.has(Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString("latin1"));
}

function tooDeep(): OutlastError {
  return new OutlastError("bad-json", `The JSON is nested more than ${limits.jsonDepthMax} levels deep.`, {
    limit: "jsonDepthMax",
  });
}

function tooManyKeys(): OutlastError {
  return new OutlastError("bad-json", `An object has more than ${limits.jsonKeysPerObjectMax} keys.`, {
    limit: "jsonKeysPerObjectMax",
  });
}
