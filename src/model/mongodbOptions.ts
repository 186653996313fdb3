/** What every client of a MongoDB server asks of it, whatever it keeps there. */

/** A write is on disk with a majority, a read sees nothing less, and no driver repeats a write by itself: that would hide what became of it. */
export const durableOptions = {
  writeConcern: { w: "majority", journal: true },
  readConcern: { level: "majority" },
  readPreference: "primary",
  retryWrites: false,
} as const;

/** What the options above fix, by the names that it has in an address. Some of these would count for more than the options do. */
const fixedNames =
  /^(w|j|journal|fsync|wtimeout|wtimeoutms|readconcernlevel|readpreference|readpreferencetags|maxstalenessseconds|retrywrites)$/i;

/** The address without anything that says otherwise. */
export function withoutFixed(uri: string): string {
  const [head = "", ...rest] = uri.split("?");
  const pairs = rest.join("?").split("&");
  const left = pairs.filter((pair) => pair !== "" && !fixedNames.test(pair.split("=", 1)[0] ?? ""));
  return left.length === 0 ? head : `${head}?${left.join("&")}`;
}

/** The options that the address does not set itself. */
export function unlessSaid<Options extends object>(uri: string, options: Options): Partial<Options> {
  const said = uri.toLowerCase();
  const left = Object.entries(options).filter(([name]) => !new RegExp(`[?&]${name.toLowerCase()}=`).test(said));
  return Object.fromEntries(left) as Partial<Options>;
}
