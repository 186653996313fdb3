/** Handlers for tests of runner processes: each does one thing that a runner must get right. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setInterval as every } from "node:timers";
import { defineTask } from "outlast";

export const add = defineTask({ name: "add", run: ([a, b]: [number, number]) => a + b });

export const pid = defineTask({ name: "pid", run: () => process.pid });

export const uid = defineTask({ name: "uid", run: () => process.getuid?.() ?? -1 });

export const speak = defineTask({
  name: "speak",
  run(text: string, ctx) {
    console.log(`log ${text}`);
    console.error(`error ${text}`);
    process.stdout.write(`stdout ${text}\n`);
    ctx.log("ctx %s", text);
  },
});

export const flood = defineTask({
  name: "flood",
  run(megabytes: number) {
    for (let n = 0; n < megabytes * 16; n += 1) process.stdout.write(`${"x".repeat(64 * 1024 - 1)}\n`);
  },
});

export const loop = defineTask({
  name: "loop",
  run() {
    console.log("looping");
    for (;;);
  },
});

/** Says all this to whoever started its process, as a library does that takes that for a parent of its own. */
export const tellParent = defineTask({
  name: "tell-parent",
  async run(messages: readonly unknown[]) {
    for (const message of messages) process.send?.(message);
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    return "done";
  },
});

export const exit = defineTask({ name: "exit", run: (code: number) => process.exit(code) });

export const reject = defineTask({
  name: "reject",
  async run() {
    void Promise.reject(new Error("nobody listens"));
    await new Promise((resolve) => {
      setTimeout(resolve, 60_000);
    });
  },
});

export const rejectOnly = defineTask({
  name: "reject-only",
  async run() {
    void Promise.reject(new Error("nobody listens"));
    await new Promise(() => {});
  },
});

export const throwLater = defineTask({
  name: "throw-later",
  async run() {
    setTimeout(() => {
      throw new Error("out of the blue");
    }, 1);
    await new Promise((resolve) => {
      setTimeout(resolve, 60_000);
    });
  },
});

export const eat = defineTask({
  name: "eat",
  run() {
    const eaten: string[] = [];
    for (let n = 0; ; n += 1) eaten.push(`${n} `.repeat(1_000_000));
  },
});

export const stuck = defineTask({ name: "stuck", run: () => new Promise(() => {}) });

export const leaveTimer = defineTask({
  name: "leave-timer",
  run() {
    every(() => {}, 60_000);
    return process.pid;
  },
});

export const leaveChild = defineTask({
  name: "leave-child",
  run() {
    spawn("sleep", ["1000"], { detached: true, stdio: "ignore" }).unref();
    return process.pid;
  },
});

export const keepChild = defineTask({
  name: "keep-child",
  async run() {
    const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
    await once(child, "spawn");
    console.log("child started");
    await once(child, "exit");
  },
});

export const deaf = defineTask({
  name: "deaf",
  async run(_: null, ctx) {
    console.log("deaf");
    await ctx.step(
      "forever",
      () =>
        new Promise((resolve) => {
          setTimeout(resolve, 1_000_000);
        }),
    );
  },
});

export const heed = defineTask({
  name: "heed",
  async run(_: null, ctx) {
    console.log("listening");
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 1_000_000);
      ctx.abortSignal.addEventListener("abort", () => {
        console.log("heard");
        clearTimeout(timer);
        resolve();
      });
    });
  },
});

export const nap = defineTask({
  name: "nap",
  async run(_: null, ctx) {
    const one = await ctx.step("one", () => 1);
    await ctx.sleep("nap", "1h");
    return one;
  },
});

export const napWithFetch = defineTask({
  name: "nap-with-foreign-work",
  async run(_: null, ctx) {
    let isDone = false;
    const foreign = new Promise<void>((resolve) => {
      setTimeout(() => {
        isDone = true;
        resolve();
      }, 50);
    });
    const [done] = await Promise.all([foreign.then(() => ctx.step("saw", () => isDone)), ctx.sleep("nap", 1000)]);
    return done;
  },
});

export const environment = defineTask({
  name: "environment",
  run: () => Object.keys(process.env).filter((name) => name.startsWith("OUTLAST_") || name === "SECRET_OF_TEST"),
});
