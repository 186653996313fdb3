/** TLS with an authority of one's own: masters, workers and commands speak HTTPS with each other, and with nobody whom they do not trust. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
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
function makeCertificate(name: string, authorityName = "ca"): void {
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
  const usage = name === "machine" ? "clientAuth" : "serverAuth,clientAuth";
  writeFileSync(path("names"), `subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=${usage}\n`);
  const authority = ["-CA", `${authorityName}.pem`, "-CAkey", `${authorityName}.key`, "-CAcreateserial"];
  openssl("x509", "-req", "-in", `${name}.csr`, ...authority, "-days", "2", "-extfile", "names", "-out", `${name}.pem`);
}

function makeAuthority(name: string, subject: string): void {
  const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, "-days", "2", "-subj", `/CN=${subject}`);
}

beforeAll(() => {
  mkdirSync(directory);
  makeAuthority("ca", "Test CA");
  makeCertificate("one");
  makeCertificate("two");
  makeCertificate("machine");
  makeAuthority("other", "Another CA");
  makeCertificate("forged", "other");
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
    expect(plain).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("write https:// in its address") as string,
    });
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

  test("asks workers for certificates: none can work without one, also through a standby, while people need none", async () => {
    const [first = 0, second = 0] = await findFreePorts(2);
    const addresses = [first, second].map((port) => `https://127.0.0.1:${port}`);
    const trust = ["--tls-ca", path("ca.pem")];
    const shown = (name: string) => ["--tls-client-cert", path(`${name}.pem`), "--tls-client-key", path(`${name}.key`)];
    const startMaster = async (name: string, port: number, certificate: string, ...more: string[]) => {
      const tls = ["--tls-cert", path(`${certificate}.pem`), "--tls-key", path(`${certificate}.key`)];
      const where = ["--name", name, "--port", String(port), "--store", `sqlite:${path("mtls.db")}`];
      const asks = ["--tls-client-ca", path("ca.pem"), ...more];
      const master = new Started(["master", ...where, ...tls, ...asks, ...trust]);
      await master.line(/^outlast master ready at https:/);
      return master;
    };
    const leader = await startMaster("m1", first, "one");
    const standby = await startMaster("m2", second, "two");
    const worker = (name: string, at: string, ...more: string[]) =>
      new Started(["worker", "--name", name, "--masters", at, "--data", path(name), ...trust, ...more]);
    for (const at of addresses) {
      const stranger = worker("stranger", at);
      expect(await stranger.line(/cannot attach/)).toMatch(/must show a certificate here/);
      stranger.child.kill("SIGKILL");
      const forger = worker("forger", at, ...shown("forged"));
      expect(await forger.line(/cannot attach/)).toMatch(/must show a certificate here/);
      forger.child.kill("SIGKILL");
    }
    // It knows the standby only, which passes on what it says.
    const good = worker("good", addresses[1] ?? "", ...shown("machine"));
    await good.line(/ready/);
    const submit = ["submit", "exec", "--wait", "--masters", addresses[1] ?? "", ...trust];
    expect(await new Started([...submit, "--", "echo", "first"]).ended).toMatchObject({ code: 0 });
    leader.child.kill("SIGKILL");
    expect(await new Started([...submit, "--retry-for", "30s", "--", "echo", "second"]).ended).toMatchObject({
      code: 0,
    });
    for (const each of [standby, good]) each.child.kill("SIGKILL");
  }, 180_000);

  test("asks whoever connects, where all must show one", async () => {
    const [port = 0] = await findFreePorts(1);
    const tls = ["--tls-cert", path("one.pem"), "--tls-key", path("one.key"), "--tls-ca", path("ca.pem")];
    const asks = ["--tls-client-ca", path("ca.pem"), "--tls-clients", "all"];
    const master = new Started(["master", "--store", "memory:", "--port", String(port), ...tls, ...asks]);
    await master.line(/^outlast master ready at https:/);
    const ls = ["ls", "--retry-for", "0s", "--masters", `https://127.0.0.1:${port}`, "--tls-ca", path("ca.pem")];
    const shown = (name: string) => ["--tls-client-cert", path(`${name}.pem`), "--tls-client-key", path(`${name}.key`)];
    expect((await new Started([...ls, ...shown("machine")]).ended).code).toBe(0);
    for (const more of [[], shown("forged")]) expect((await new Started([...ls, ...more]).ended).code).toBe(3);
    const half = await new Started([...ls, "--tls-client-cert", path("machine.pem")]).ended;
    expect(half).toMatchObject({ code: 2, stderr: expect.stringContaining("belong together") as string });
    const plain = await new Started(["master", "--store", "memory:", "--port", "0", ...asks]).ended;
    expect(plain).toMatchObject({ code: 2, stderr: expect.stringContaining("needs TLS") as string });
    master.child.kill("SIGKILL");
  }, 60_000);

  test("asks for one on a connection that takes up an earlier session as well", async () => {
    const pem = (name: string) => readFileSync(path(name), "utf8");
    const tls = { cert: pem("one.pem"), key: pem("one.key"), ca: pem("ca.pem") };
    const api = createApi({ master: new FakeMasterApi(), log: silent, token: null, tls });
    const { port } = new URL(await api.listen({ address: "127.0.0.1", port: 0 }));
    const head = "POST /v1/workers/w/sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0";
    /** The status of a worker's call, whether the session before was taken up, and the session for the next call. */
    const call = async (session: Buffer | null, own: object) => {
      const options = { host: "127.0.0.1", port: Number(port), ca: tls.ca, ...own };
      const socket = connect(session === null ? options : { ...options, session });
      const told = { received: "", isReused: false, session: Buffer.alloc(0) };
      socket.on("session", (given) => (told.session = given));
      socket.on("data", (bytes) => (told.received += String(bytes)));
      socket.once("secureConnect", () => {
        told.isReused = socket.isSessionReused();
        socket.write(`${head}\r\n\r\n`);
      });
      await once(socket, "close");
      return { ...told, status: told.received.slice(9, 12) };
    };
    const machine = { cert: pem("machine.pem"), key: pem("machine.key") };
    for (const [own, status] of [
      [{}, "403"],
      [{ cert: pem("forged.pem"), key: pem("forged.key") }, "403"],
      // It is a worker's, but its body is missing.
      [machine, "422"],
    ] as const) {
      const one = await call(null, own);
      const two = await call(one.session, own);
      expect([one.status, two.status, two.isReused]).toEqual([status, status, true]);
    }
    await api.close();
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
