/** Tokens that are removed and replaced in their files while workers and commands run with them. */
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient } from "../../src/sdk/client.ts";
import { folder, Started } from "./commands.ts";

const rootToken = "the-root-token-of-these-tests";

/** Two names of a folder of secrets, as Kubernetes mounts them: a new token is a new folder, and the link is put in place of the old one. */
class Mount {
  readonly file: string;
  readonly #place: string;
  #versions = 0;

  constructor(name: string, token: string) {
    this.#place = join(folder, name);
    mkdirSync(this.#place);
    this.file = join(this.#place, "token");
    this.write(token);
    symlinkSync("..data/token", this.file);
  }

  write(token: string): void {
    const version = `..${String((this.#versions += 1))}`;
    mkdirSync(join(this.#place, version));
    writeFileSync(join(this.#place, version, "token"), `${token}\n`);
    symlinkSync(version, join(this.#place, "..next"));
    renameSync(join(this.#place, "..next"), join(this.#place, "..data"));
  }
}

test("are taken by a worker that was refused, whose task runs on and whose result waits", async () => {
  const port = String(await findFreePort());
  const masters = `http://127.0.0.1:${port}`;
  const env = { OUTLAST_TOKEN: rootToken, OUTLAST_MASTERS: masters };
  const master = new Started(["master", "--port", port, "--store", "memory:"], { env });
  await master.line(/^outlast master ready at /);
  const root = createClient({ masters, token: rootToken });
  const make = async (name: string, role: "worker" | "submitter") => (await root.people.addToken({ name, role })).token;
  const mount = new Mount("mounted", await make("one", "worker"));
  const asWorker = ["worker", "--masters", masters, "--token-file", mount.file];
  const worker = new Started([...asWorker, "--name", "w-1", "--capacity", "4", "--data", "token-worker"]);
  await worker.line(/attached to a master/);

  const until = (name: string) => `until [ -e ${join(folder, name)} ]; do sleep 0.05; done`;
  const submit = (id: string, input: object) => root.submit({ id, kind: "exec", input: { shell: true, ...input } });
  await submit("waits", { command: [`echo begun; ${until("waits-may-end")}`] });
  await submit("runs", { command: [`echo begun; ${until("runs-may-end")}; echo done`] });
  await submit("keeps", {
    command: [`echo begun; ${until("waits-may-end")}; echo kept > kept.txt`],
    artifacts: ["*.txt"],
  });
  const reader = join(folder, "reader-token");
  writeFileSync(reader, await make("reader", "submitter"));
  const asReader = ["--masters", masters, "--token-file", reader];
  const following = new Started(["logs", "runs", "--follow", ...asReader]);
  const waiting = new Started([
    "submit",
    "--wait",
    "--id",
    "awaited",
    ...asReader,
    "exec",
    "--",
    "sh",
    "-c",
    until("runs-may-end"),
  ]);
  await following.line(/begun/);
  for (const id of ["waits", "keeps"]) for await (const item of root.follow(id)) if (item.kind === "log") break;

  await root.people.removeToken("one");
  const refused = await worker.line(/cannot attach to a master/);
  expect(refused).toMatch(/unauthorized/);
  expect(refused).toMatch(/The token is wrong, was removed, or has expired. Its file has no other yet/);
  writeFileSync(join(folder, "waits-may-end"), "");
  await worker.line(/"waits".*attempt ended/);
  const doctor = await new Started(["doctor", "--data", "none"], { env }).ended;
  expect(doctor.stdout).toMatch(/w-1.*token one/);
  expect((await new Started(["workers"], { env }).ended).stdout).toMatch(/token one/);

  writeFileSync(reader, await make("reader-2", "submitter"));
  await root.people.removeToken("reader");
  mount.write(await make("two", "worker"));
  for (const id of ["waits", "keeps"])
    expect(await root.wait(id)).toMatchObject({ state: "success", attempt: 1, kills: 0 });
  await worker.line(/attached to a master/);
  writeFileSync(join(folder, "runs-may-end"), "");
  expect(await following.ended).toMatchObject({ code: 0, stdout: expect.stringContaining("done") as string });
  expect(await waiting.ended).toMatchObject({ code: 0 });
  expect(await root.wait("runs")).toMatchObject({ state: "success", attempt: 1, kills: 0 });

  // Written before the old one is removed, nothing is refused at all.
  mount.write(await make("three", "worker"));
  await root.people.removeToken("two");
  await worker.line(/there is another one now/);
  await submit("after", { command: ["true"] });
  expect(await root.wait("after")).toMatchObject({ state: "success" });
  for (const { child } of [worker, master]) child.kill("SIGKILL");
});
