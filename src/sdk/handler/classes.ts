/** Master and child tasks as classes, and the same without classes: thin layers over `defineTask` and `ctx.all`. */
import type { TaskCall, TaskOptions } from "./call.ts";
import type { TaskContext } from "./context.ts";
import { defineFor, type TaskDefinition } from "./definition.ts";

/** A task that does one part of the work. Make a definition of it with `defineTask(new MyTask())` and export that. */
export abstract class ChildTask<Input, Output = void> {
  abstract readonly name: string;
  abstract execute(input: Input, ctx: TaskContext): Output | Promise<Output>;

  /** Called by the worker. */
  run(input: Input, ctx: TaskContext): Output | Promise<Output> {
    return this.execute(input, ctx);
  }
}

/**
 * A task that divides its work among children. It succeeds when all of them have; if one fails, the others still run to their
 * end, and then the master task fails. It holds no worker while its children run.
 */
export abstract class MasterTask<Variables, ChildInput, ChildOutput = void, Output = void> {
  abstract readonly name: string;
  /** What the children run. */
  abstract readonly child: Pick<TaskDefinition<ChildInput, ChildOutput>, "task">;

  /** Yields the input of each child. Must yield the same in every attempt. */
  abstract split(variables: Variables): Iterable<ChildInput> | AsyncIterable<ChildInput>;

  /** Makes the result from those of the children, which come in order. Without it the result is empty. */
  join?(results: AsyncIterable<ChildOutput>, variables: Variables, ctx: TaskContext): Output | Promise<Output>;

  /** Called by the worker. */
  async run(variables: Variables, ctx: TaskContext): Promise<Output> {
    const results = await ctx.all("children", calls(this.child, this.split(variables)));
    return (await this.join?.(results, variables, ctx)) as Output;
  }
}

export interface FanOutOptions<Variables, ChildInput, ChildOutput, Output> extends Omit<TaskOptions, "id" | "startAt"> {
  readonly name: string;
  readonly child: Pick<TaskDefinition<ChildInput, ChildOutput>, "task">;
  /** Yields the input of each child. Must yield the same in every attempt. */
  split(variables: Variables): Iterable<ChildInput> | AsyncIterable<ChildInput>;
  /** Makes the result from those of the children, which come in order. */
  join?(results: AsyncIterable<ChildOutput>, variables: Variables, ctx: TaskContext): Output | Promise<Output>;
}

/** Defines a task that divides its work among children; `MasterTask` without a class. */
export function fanOut<Variables, ChildInput, ChildOutput, Output = void>(
  options: FanOutOptions<Variables, ChildInput, ChildOutput, Output>,
): TaskDefinition<Variables, Output> {
  return defineFor(fanOut, {
    ...options,
    async run(variables: Variables, ctx: TaskContext) {
      const results = await ctx.all("children", calls(options.child, options.split(variables)));
      return options.join?.(results, variables, ctx);
    },
  }) as TaskDefinition<Variables, Output>;
}

async function* calls<Input, Output>(
  child: Pick<TaskDefinition<Input, Output>, "task">,
  inputs: Iterable<Input> | AsyncIterable<Input>,
): AsyncGenerator<TaskCall<Output>, void, undefined> {
  for await (const input of inputs) yield child.task(input);
}
