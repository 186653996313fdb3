/**
 * A master task that prints the numbers 1 to n by child tasks, each of which prints a part of them.
 *
 * The same twice: as classes, and (`print-numbers-short`) with `fanOut`.
 */
import { ChildTask, defineTask, fanOut, MasterTask, NonRetryableError } from "outlast";

interface Range {
  readonly from: number;
  readonly to: number;
}

interface Variables {
  readonly n: number;
  /** How many numbers one child prints; 10 if left out. */
  readonly size?: number;
  /** The child that prints this number fails. */
  readonly failAt?: number;
}

class PrintRange extends ChildTask<Range & { failAt?: number }, number> {
  readonly name = "print-range";

  execute({ from, to, failAt }: Range & { failAt?: number }): number {
    for (let number = from; number <= to; number += 1) {
      if (number === failAt) throw new NonRetryableError(`${number} cannot be printed.`);
      console.log(number);
    }
    return to - from + 1;
  }
}

export const printRange = defineTask(new PrintRange());

class PrintNumbers extends MasterTask<Variables, Range & { failAt?: number }, number, { printed: number }> {
  readonly name = "print-numbers";
  readonly child = printRange;

  split(variables: Variables) {
    return rangesOf(variables);
  }

  override async join(counts: AsyncIterable<number>): Promise<{ printed: number }> {
    let printed = 0;
    for await (const count of counts) printed += count;
    return { printed };
  }
}

export const printNumbers = defineTask(new PrintNumbers());

export const printNumbersShort = fanOut({ name: "print-numbers-short", child: printRange, split: rangesOf });

function* rangesOf({ n, size = 10, failAt }: Variables) {
  for (let from = 1; from <= n; from += size) {
    yield { from, to: Math.min(n, from + size - 1), ...(failAt !== undefined && { failAt }) };
  }
}
