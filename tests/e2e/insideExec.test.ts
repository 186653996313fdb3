/** Shell jobs that remember steps and make children: what kills their worker or master costs nothing that was remembered. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Scene, scene } from "./scene.ts";

const program = fileURLToPath(new URL("../../bin/outlast.js", import.meta.url));

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
}

/** The job waits at a gate in its middle. */
async function submitJob(play: Scene): Promise<{ readonly ledger: string; readonly gate: string }> {
  const [ledger, gate] = [join(play.directory, "ledger"), join(play.directory, "gate")];
  const outlast = `'${process.execPath}' '${program}'`;
  const line = [
    "set -e",
    `first=$(${outlast} step first -- sh -c 'echo "first $OUTLAST_ATTEMPT" >> "$LEDGER"; echo 42')`,
    `${outlast} progress 1 2 'at the gate'`,
    `${outlast} submit --child kid exec --env LEDGER="$LEDGER" --shell -- 'echo child >> "$LEDGER"'`,
    'echo "waits $OUTLAST_ATTEMPT" >> "$LEDGER"',
    'while ! test -e "$GATE"; do sleep 0.05; done',
    `${outlast} step second -- sh -c 'echo "second $OUTLAST_ATTEMPT" >> "$LEDGER"'`,
    'echo "first is $first"',
  ].join("\n");
  const env = { LEDGER: ledger, GATE: gate };
  await play.client.submit({ id: "job", kind: "exec", input: { command: [line], shell: true, env } });
  return { ledger, gate };
}

test("a killed worker: the next attempt has the output of the step, and the child was made once", () =>
  scene(["master", "worker-1", "worker-2"], async (play) => {
    const { ledger, gate } = await submitJob(play);
    const { process: worker } = await play.started("job");
    await play.until("the child to run", () => linesOf(ledger).includes("child"));
    await play.until("progress", async () => (await play.client.get("job")).progress?.text === "at the gate");
    await play.cluster.kill(worker);
    await play.until("the second attempt to wait", () => linesOf(ledger).includes("waits 2"));
    writeFileSync(gate, "");
    await play.success("job");
    const lines = linesOf(ledger);
    expect(lines.filter((line) => line !== "child" && !line.startsWith("waits"))).toEqual(["first 1", "second 2"]);
    expect(lines.filter((line) => line === "child")).toHaveLength(1);
    expect(await play.logOf("job")).toBe("first is 42\n");
    expect(await play.client.get("job")).toMatchObject({ attempt: 2, family: { steps: 2, children: 1 } });
  }));

test("a killed master: the job goes on, and its next step is remembered by the next master", () =>
  scene(["master", "worker-1"], async (play) => {
    const { ledger, gate } = await submitJob(play);
    await play.until("the job to wait", () => linesOf(ledger).includes("waits 1"));
    await play.cluster.kill("master");
    writeFileSync(gate, "");
    // A step is run only once it is known that no earlier attempt has: that needs a leader.
    await play.cluster.start("master");
    await play.success("job");
    expect((await play.client.get("job")).attempt).toBe(1);
    expect(linesOf(ledger).filter((line) => line.startsWith("second"))).toHaveLength(1);
  }));

test("a child made by the last line of a job runs on the job's only slot, and the job ends after it", () =>
  scene(["master", "worker-1"], async (play) => {
    const ledger = join(play.directory, "ledger");
    const outlast = `'${process.execPath}' '${program}'`;
    const line = `${outlast} submit --child report exec --env LEDGER="$LEDGER" --shell -- 'echo child >> "$LEDGER"' && echo parent >> "$LEDGER"`;
    await play.client.submit({
      id: "job",
      kind: "exec",
      input: { command: [line], shell: true, env: { LEDGER: ledger } },
    });
    await play.success("job");
    expect(linesOf(ledger)).toEqual(["parent", "child"]);
    expect(await play.client.get("job")).toMatchObject({ attempt: 1, childCounts: { success: 1 } });
  }));
