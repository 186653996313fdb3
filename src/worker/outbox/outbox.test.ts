/** The outbox on a real disk: what it keeps, and what it makes of torn, damaged and full files. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BootId, Incarnation, TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { ResultItem } from "../../model/protocol.ts";
import { FileOutbox, OutboxRefused } from "./outbox.ts";

let directory = "";
const open: FileOutbox[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "outlast-outbox-"));
});

afterEach(async () => {
  for (const outbox of open.splice(0)) await outbox.close();
  rmSync(directory, { recursive: true });
});

function result(task: string, more: Partial<ResultItem> = {}): ResultItem {
  const boot = "boot" as BootId;
  return {
    kind: "result",
    task: task as TaskId,
    attempt: 1,
    assignedAt: 1,
    boot,
    outcome: "success",
    startedAt: 1,
    endedAt: 2,
    ...more,
  };
}

async function opened(): Promise<{ outbox: FileOutbox; tasks: string[] }> {
  const outbox = new FileOutbox(directory);
  const { results } = await outbox.open();
  open.push(outbox);
  return { outbox, tasks: results.map(({ task }) => task) };
}

async function closeAll(): Promise<void> {
  for (const outbox of open.splice(0)) await outbox.close();
}

/** What the outbox holds after being opened anew. */
async function reopened(): Promise<string[]> {
  await closeAll();
  const { tasks } = await opened();
  return tasks;
}

const file = () => join(directory, "results");

describe("keeping", () => {
  test("a new outbox is empty", async () => {
    const outbox = new FileOutbox(directory);
    expect(await outbox.open()).toEqual({ results: [], epochMax: 0, incarnation: null });
    await outbox.close();
  });

  test("what was put is there after a restart, whole and in order; what was removed is not", async () => {
    const { outbox } = await opened();
    const full = result("b", {
      output: { text: "ä\u0000\u2028", list: [1, null] },
      error: { code: "x", message: "y" },
      logBytes: 7,
    });
    await outbox.put([result("a"), full, result("c")]);
    await outbox.remove([{ task: "a" as TaskId, attempt: 1 }]);
    await closeAll();
    const again = new FileOutbox(directory);
    open.push(again);
    expect((await again.open()).results).toEqual([full, result("c")]);
  });

  test("attempts of one task are kept apart, and putting one twice keeps it once", async () => {
    const { outbox } = await opened();
    await outbox.put([result("a"), result("a", { attempt: 2 })]);
    await outbox.put([result("a")]);
    await outbox.remove([{ task: "a" as TaskId, attempt: 2 }]);
    expect(await reopened()).toEqual(["a"]);
  });

  test("puts and removes that come at once keep their order", async () => {
    const { outbox } = await opened();
    const refs = Array.from({ length: 500 }, (_, index) => `t${index}`);
    await Promise.all(
      refs.flatMap((task, index) => {
        const writes = [outbox.put([result(task)])];
        if (index % 2 === 0) writes.push(outbox.remove([{ task: task as TaskId, attempt: 1 }]));
        return writes;
      }),
    );
    expect(await reopened()).toEqual(refs.filter((_, index) => index % 2 === 1));
  });

  test("the epoch is remembered", async () => {
    const { outbox } = await opened();
    await outbox.saveEpoch("i-1" as Incarnation, 7);
    await outbox.saveEpoch("i-2" as Incarnation, 3);
    await closeAll();
    const again = new FileOutbox(directory);
    open.push(again);
    expect(await again.open()).toMatchObject({ epochMax: 3, incarnation: "i-2" });
  });

  test("a file that is mostly garbage is rewritten, and holds what is kept", async () => {
    const { outbox } = await opened();
    await outbox.put([result("stays")]);
    const output = "x".repeat(200_000);
    for (let index = 0; index * output.length < 1.5 * limits.outboxCompactBytesMin; index += 1) {
      await outbox.put([result(`t${index}`, { output })]);
      await outbox.remove([{ task: `t${index}` as TaskId, attempt: 1 }]);
    }
    await outbox.put([result("last")]);
    expect(statSync(file()).size).toBeLessThan(limits.outboxCompactBytesMin);
    expect(await reopened()).toEqual(["stays", "last"]);
  });

  test("a file that is large but mostly needed is left alone", async () => {
    const { outbox } = await opened();
    const output = "x".repeat(1_000_000);
    const tasks = Array.from({ length: 10 }, (_, index) => `t${index}`);
    for (const task of tasks) await outbox.put([result(task, { output })]);
    expect(statSync(file()).size).toBeGreaterThan(limits.outboxCompactBytesMin);
    expect(await reopened()).toEqual(tasks);
  });
});

describe("crashes", () => {
  test("cut anywhere, the file gives back every record that was whole, and can be written again", async () => {
    const { outbox } = await opened();
    const ends: number[] = [];
    for (const task of ["a", "b", "c"]) {
      await outbox.put([result(task)]);
      ends.push(statSync(file()).size);
    }
    await closeAll();
    const whole = readFileSync(file());
    for (let length = 0; length <= whole.length; length += 1) {
      writeFileSync(file(), whole.subarray(0, length));
      const { outbox: again, tasks } = await opened();
      const kept = ["a", "b", "c"].filter((_, index) => (ends[index] ?? 0) <= length);
      expect(tasks, `cut at ${length}`).toEqual(kept);
      await again.put([result("d")]);
      expect(await reopened(), `cut at ${length} and written again`).toEqual([...kept, "d"]);
      await closeAll();
    }
  });

  test("blocks that a power loss left unfilled count as never written", async () => {
    const { outbox } = await opened();
    await outbox.put([result("a")]);
    await closeAll();
    truncateSync(file(), statSync(file()).size + 5000);
    expect((await opened()).tasks).toEqual(["a"]);
    expect(await reopened()).toEqual(["a"]);
  });

  test("a writer that is killed at any moment leaves what it was told is kept", async () => {
    const module = new URL("./outbox.ts", import.meta.url).href;
    const script = `
      const { FileOutbox } = await import(${JSON.stringify(module)});
      const outbox = new FileOutbox(process.argv[1]);
      await outbox.open();
      for (let index = 0; ; index += 1) {
        const task = "t" + index;
        await outbox.put([{ kind: "result", task, attempt: 1, boot: "b", outcome: "success", startedAt: 1, endedAt: 2 }]);
        if (!process.stdout.write(index + "\\n")) await new Promise((resolve) => process.stdout.once("drain", resolve));
      }`;
    for (const killAfter of [1, 50, 400]) {
      const writer = spawn(process.execPath, ["--input-type=module", "-e", script, directory], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(writer, "exit");
      let last = -1;
      for await (const line of createInterface({ input: writer.stdout })) {
        last = Number(line);
        if (last >= killAfter) writer.kill("SIGKILL");
      }
      await exited;
      const { tasks } = await opened();
      expect(tasks.length).toBeGreaterThan(last);
      expect(tasks.slice(0, last + 1)).toEqual(Array.from({ length: last + 1 }, (_, index) => `t${index}`));
      await closeAll();
      rmSync(file());
    }
  });

  test("a write that breaks off in the middle is refused, and leaves no trace before the next one", async () => {
    const module = new URL("./outbox.ts", import.meta.url).href;
    const script = `
      const { FileOutbox } = await import(${JSON.stringify(module)});
      const outbox = new FileOutbox(process.argv[1]);
      await outbox.open();
      const put = (task, output) =>
        outbox.put([{ kind: "result", task, attempt: 1, boot: "b", outcome: "success", startedAt: 1, endedAt: 2, output }]);
      const outcomes = [];
      for (const [task, length] of [["a", 1], ["large", 100000], ["larger", 200000], ["b", 1]]) {
        outcomes.push(await put(task, "x".repeat(length)).then(() => "kept", (error) => error.code));
      }
      await outbox.close();
      process.stdout.write(outcomes.join(" "));`;
    // No file of this process may grow beyond some kilobytes: what a full disk does, without one.
    const shell = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
    const node = [process.execPath, "--input-type=module", "-e", script, directory];
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", shell, "sh", ...node]);
    expect(stdout).toBe("kept EFBIG EFBIG kept");
    expect((await opened()).tasks).toEqual(["a", "b"]);
  });
});

describe("damage", () => {
  test("any flipped bit in a whole file is refused with a hint, and nothing is guessed", async () => {
    const { outbox } = await opened();
    await outbox.put([result("a"), result("b")]);
    await outbox.remove([{ task: "a" as TaskId, attempt: 1 }]);
    await outbox.put([result("c")]);
    await closeAll();
    const whole = readFileSync(file());
    for (let position = 0; position < whole.length; position += 1) {
      const damaged = Buffer.from(whole);
      damaged[position] = (damaged[position] ?? 0) ^ (1 << (position % 8));
      writeFileSync(file(), damaged);
      const refusal = await new FileOutbox(directory).open().catch((error: unknown) => error);
      expect(refusal, `flipped at ${position}`).toBeInstanceOf(OutboxRefused);
      expect((refusal as OutboxRefused).hint).toContain(`mv '${file()}'`);
    }
    writeFileSync(file(), whole);
    expect((await opened()).tasks).toEqual(["b", "c"]);
  });

  test("random bytes are refused or are empty, never a crash of another kind", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        writeFileSync(file(), bytes);
        const outbox = new FileOutbox(directory);
        const outcome = await outbox.open().catch((error: unknown) => error);
        if (!(outcome instanceof OutboxRefused)) expect(outcome).toMatchObject({ results: [] });
        await outbox.close();
      }),
      { numRuns: 50 },
    );
  });

  test("an epoch file that makes no sense is refused: guessing zero would let an old leader in", async () => {
    for (const text of ["", "{", "{}", '{"incarnation":"i","epoch":"7"}', '{"incarnation":null,"epoch":7}']) {
      writeFileSync(join(directory, "epoch"), text);
      await expect(new FileOutbox(directory).open()).rejects.toThrow(OutboxRefused);
    }
  });

  test("a refusal lets go of the directory", async () => {
    writeFileSync(file(), "something else entirely");
    await expect(new FileOutbox(directory).open()).rejects.toThrow("damaged");
    await expect(new FileOutbox(directory).open()).rejects.toThrow("damaged");
  });
});

describe("one process at a time", () => {
  test("a second outbox on the same directory is refused until the first is closed", async () => {
    await opened();
    await expect(new FileOutbox(directory).open()).rejects.toMatchObject({ code: "conflict" });
    await closeAll();
    await opened();
  });

  test("a living process keeps others out; a dead one does not", async () => {
    const module = new URL("./outbox.ts", import.meta.url).href;
    const script = `
      const { FileOutbox } = await import(${JSON.stringify(module)});
      globalThis.outbox = new FileOutbox(process.argv[1]);
      await outbox.open();
      process.stdout.write("open\\n");
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(holder, "exit");
    await once(holder.stdout, "data");
    await expect(new FileOutbox(directory).open()).rejects.toThrow(`Process ${holder.pid} is using`);
    holder.kill("SIGKILL");
    await exited;
    await opened();
    expect(existsSync(join(directory, `claim-${holder.pid}`))).toBe(false);
  });

  test("a claim of another process that had the same id does not count", async () => {
    writeFileSync(join(directory, "claim-1-999999999"), "");
    await opened();
    expect(existsSync(join(directory, "claim-1-999999999"))).toBe(false);
  });
});

test("a closed outbox takes nothing", async () => {
  const { outbox } = await opened();
  await outbox.close();
  await expect(outbox.put([result("a")])).rejects.toThrow("not open");
});
