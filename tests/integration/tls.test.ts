/** TLS with an authority of one's own: masters, workers and commands speak HTTPS with each other, and with nobody whom they do not trust. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";
import { createApi } from "../../src/api/http/server.ts";
import { findFreePorts } from "../../src/cli/freePort.ts";
import { FakeMasterApi } from "../../src/proof/fakes/fakeMasterApi.ts";
import { folder, Started } from "./commands.ts";

const directory = join(folder, "tls");
const path = (name: string) => join(directory, name);
const openssl = (...command: string[]) => execFileSync("openssl", command, { cwd: directory, stdio: "pipe" });
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** `NAME.pem` and `NAME.key`, for this machine. */
function makeCertificate(name: string): void {
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
    "-subj",
    `/CN=${name}`,
  );
  writeFileSync(path("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost");
  const authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
  openssl("x509", "-req", "-in", `${name}.csr`, ...authority, "-days", "2", "-extfile", "names", "-out", `${name}.pem`);
}

beforeAll(() => {
  mkdirSync(directory);
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=Test CA",
  );
  makeCertificate("one");
  makeCertificate("two");
}, 60_000);

describe("TLS", () => {
  test("carries a whole cluster, also over a standby and over the death of the leader", async () => {
    const [first = 0, second = 0] = await findFreePorts(2);
    const addresses = [first, second].map((port) => `https://127.0.0.1:${port}`);
    const trust = ["--tls-ca", path("ca.pem")];
    const startMaster = async (port: number, certificate: string) => {
      const tls = ["--tls-cert", path(`${certificate}.pem`), "--tls-key", path(`${certificate}.key`)];
      const where = ["--name", certificate, "--port", String(port), "--store", `sqlite:${path("x.db")}`];
      const master = new Started(["master", ...where, ...tls, ...trust]);
      await master.line(/^outlast master ready at https:/);
      return master;
    };
    const leader = await startMaster(first, "one");
    const standby = await startMaster(second, "two");
    const worker = new Started(["worker", "--masters", addresses.join(","), "--data", path("data"), ...trust]);
    await worker.line(/ready/);
    // The standby passes it on.
    const submit = ["submit", "exec", "--wait", "--retry-for", "30s", "--masters", addresses[1] ?? ""];
    expect(await new Started([...submit, ...trust, "--", "echo", "first"]).ended).toMatchObject({ code: 0 });

    leader.child.kill("SIGKILL");
    expect(await new Started([...submit, ...trust, "--", "echo", "second"]).ended).toMatchObject({ code: 0 });

    const doubtful = await new Started(["ls", "--retry-for", "0s", "--masters", addresses[1] ?? ""]).ended;
    expect(doubtful).toMatchObject({ code: 3, stderr: expect.stringMatching(/certificate/) as string });
    const plain = await new Started(["ls", "--retry-for", "0s", "--masters", `http://127.0.0.1:${second}`]).ended;
    expect(plain.code).toBe(3);
    const stranger = new Started(["worker", "--masters", addresses[1] ?? "", "--data", path("stranger")]);
    expect(await stranger.line(/cannot attach/)).toMatch(/certificate/);
    for (const each of [standby, worker, stranger]) each.child.kill("SIGKILL");
  }, 180_000);

  test("is refused with files that do not belong together", async () => {
    const start = (...more: string[]) => new Started(["master", "--store", "memory:", "--port", "0", ...more]).ended;
    const half = await start("--tls-cert", path("one.pem"));
    expect(half).toMatchObject({ code: 2, stderr: expect.stringContaining("belong together") as string });
    const mixed = await start("--tls-cert", path("one.pem"), "--tls-key", path("two.key"));
    expect(mixed).toMatchObject({ code: 2, stderr: expect.stringContaining("cannot be used") as string });
    const missing = await start("--tls-cert", path("no.pem"), "--tls-key", path("two.key"));
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("cannot be read (ENOENT)") as string });
    const untrusted = await new Started(["ls", "--tls-ca", path("one.key")]).ended;
    expect(untrusted).toMatchObject({ code: 2, stderr: expect.stringContaining("no certificates") as string });
  });

  test("takes a renewed certificate for new connections, and keeps the old one where the new one is broken", async () => {
    const read = (name: string) => ({
      cert: readFileSync(path(`${name}.pem`), "utf8"),
      key: readFileSync(path(`${name}.key`), "utf8"),
    });
    const api = createApi({ master: new FakeMasterApi(), log: silent, token: null, tls: read("one") });
    const url = new URL(await api.listen({ address: "127.0.0.1", port: 0 }));
    const nameThere = () =>
      new Promise<unknown>((resolve, reject) => {
        const ca = readFileSync(path("ca.pem"));
        const socket = connect({ host: "127.0.0.1", port: Number(url.port), ca }, () => {
          resolve(socket.getPeerCertificate().subject.CN);
          socket.destroy();
        });
        socket.once("error", reject);
      });
    expect(url.protocol).toBe("https:");
    expect(await nameThere()).toBe("one");
    api.renewTls(read("two"));
    expect(await nameThere()).toBe("two");
    expect(() => api.renewTls({ ...read("one"), key: read("two").key })).toThrow();
    expect(await nameThere()).toBe("two");
    await api.close();
  });
});
