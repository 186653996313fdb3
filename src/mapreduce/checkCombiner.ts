/** A check for users' tests: a combiner must give the same however values are grouped and ordered, since maps end in any order. */
import { isDeepStrictEqual } from "node:util";
import { ByteReader } from "./engine/byteReader.ts";
import { ByteWriter } from "./engine/byteWriter.ts";
import { columnFor } from "./engine/combiners.ts";
import type { MapReduceJob } from "./job.ts";

const rounds = 50;

/**
 * Combines a sample of values of one key in many orders and groups, some of them written and read in between, as the engine does.
 * @throws Error with two results that differ
 */
export function checkCombiner(job: MapReduceJob, sample: readonly unknown[]): void {
  if (job.combine === null || sample.length === 0) throw new Error("There is no combiner, or no sample, to check.");
  const expected = combined(job, sample, () => false);
  for (let round = 1; round <= rounds; round += 1) {
    // A small generator with a fixed seed: the same call always does the same.
    let state = round * 2_654_435_761;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const shuffled = sample.map((value) => ({ value, at: random() })).sort((one, other) => one.at - other.at);
    const values = shuffled.map(({ value }) => value);
    const result = combined(job, values, () => random() < 0.3);
    if (isAlike(result, expected)) continue;
    throw new Error(
      `The combiner of "${job.name}" depends on order or grouping: it gives ${JSON.stringify(expected)} for the sample, and ${JSON.stringify(result)} for ${JSON.stringify(values)}.`,
    );
  }
}

/** Values go into groups, each ended where `isCut` says so; what groups give is written, read and combined. */
function combined({ combine }: MapReduceJob, values: readonly unknown[], isCut: () => boolean): unknown {
  const total = columnFor(combine);
  let isFirst = true;
  for (let from = 0; from < values.length; ) {
    const group = columnFor(combine);
    let to = from;
    do {
      group.add(0, to === from ? "new" : "known", group.fit(values[to]));
      to += 1;
    } while (to < values.length && !isCut());
    const writer = new ByteWriter();
    group.write(writer, 0);
    total.fold(0, isFirst ? "new" : "known", new ByteReader(Buffer.from(writer.view())));
    isFirst = false;
    from = to;
  }
  const [result] = total.values(0);
  return result;
}

/** Sums of fractions differ in their last digits. */
function isAlike(one: unknown, other: unknown): boolean {
  if (typeof one !== "number" || typeof other !== "number") return isDeepStrictEqual(one, other);
  return Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(one), Math.abs(other));
}
