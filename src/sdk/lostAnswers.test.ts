/** Changes whose answer is lost on its way: the client tries again, and what it then hears is not held against the caller. */
import { afterEach, describe, expect, test } from "vitest";
import { OutlastError } from "../model/errors.ts";
import { type Answer, FakeMaster, FakeMasters } from "../proof/fakes/fakeMaster.ts";
import { createClient, type Outlast } from "./client.ts";
import type { ConnectionOptions } from "./connection.ts";

const fakes = new FakeMasters();
const fake = (answer: Answer) => fakes.start(answer);
afterEach(() => fakes.stop());

/** A master that does what it is asked, and says so only from the second request of a kind on: by then it is done. */
function losing(status: number, code: string): Answer {
  return ({ method }, response) => {
    const isFirst = fakes.all[0]?.requests.filter((request) => request.method === method).length === 1;
    if (isFirst) response.cut();
    else response.json(status, { error: { code, message: "It is as you wanted it." } });
  };
}

const removals: [string, (client: Outlast) => Promise<unknown>][] = [
  ["a schedule", (client) => client.schedules.remove("s")],
  ["a template", (client) => client.removeTemplate("t")],
  ["a webhook", (client) => client.webhooks.remove("w")],
  ["a user", (client) => client.people.removeUser("u")],
  ["a token", (client) => client.people.removeToken("t")],
];

describe("removing", () => {
  test.each(removals)("%s has worked if an earlier try had, though its answer was lost", async (_what, remove) => {
    const master = await fake(losing(404, "not-found"));
    await expect(remove(createClient({ masters: master.url }))).resolves.toBeUndefined();
    expect(master.requests.map(({ method }) => method)).toEqual(["DELETE", "DELETE"]);
  });

  test.each(removals)(
    "%s that is not there is an error, also if another master cannot be reached",
    async (_w, remove) => {
      const master = await fake((_request, response) =>
        response.json(404, { error: { code: "not-found", message: "It is not there." } }),
      );
      const dead = await FakeMaster.start(() => {});
      const { url } = dead;
      await dead.stop();
      const client = createClient({ masters: [url, master.url] });
      await expect(remove(client)).rejects.toMatchObject({ code: "not-found" });
    },
  );

  test("is no success if another program answers", async () => {
    const master = await fake((_request, response) =>
      master.requests.length === 1 ? response.cut() : response.text(404, "nothing here"),
    );
    await expect(createClient({ masters: master.url }).schedules.remove("s")).rejects.toMatchObject({
      details: { reason: "no-master" },
    });
  });

  test("a session has worked if the session is not known any more", async () => {
    const master = await fake(losing(401, "unauthorized"));
    await expect(createClient({ masters: master.url }).people.signOut()).resolves.toBeUndefined();
  });
});

describe("adding", () => {
  test("a token that is there already says that it may be the one of this call, without its secret", async () => {
    const master = await fake(losing(409, "conflict"));
    const adding = createClient({ masters: master.url }).people.addToken({ name: "t", role: "viewer" });
    await expect(adding).rejects.toMatchObject({
      code: "conflict",
      details: { hint: expect.stringContaining("nobody has its secret") as string },
    });
  });

  test("what was there before is a plain conflict", async () => {
    const master = await fake((_request, response) =>
      response.json(409, { error: { code: "conflict", message: "There is a user u already." } }),
    );
    const adding = createClient({ masters: master.url }).people.addUser({ name: "u", role: "viewer", password: "p" });
    await expect(adding).rejects.toMatchObject({ code: "conflict", details: {} });
  });

  test("a webhook gives its secret, whichever try has made it", async () => {
    const bodies: { secret?: string }[] = [];
    const master = await fake(({ method, body }, response) => {
      if (method === "GET") return response.json(404, { error: { code: "not-found", message: "There is none." } });
      bodies.push(JSON.parse(body) as { secret?: string });
      if (bodies.length === 1) return response.cut();
      // The first try has made it: this one changes nothing.
      response.json(200, { name: "w", isNew: false });
    });
    const made = await createClient({ masters: master.url }).webhooks.put("w", { url: "https://example.com" });
    expect(made).toMatchObject({ name: "w", isNew: true });
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(bodies.map(({ secret }) => secret)).toEqual([made.secret, made.secret]);
  });

  test("a webhook that is there keeps its secret", async () => {
    const master = await fake((_request, response) => response.json(200, { name: "w", isNew: false }));
    const made = await createClient({ masters: master.url }).webhooks.put("w", { url: "https://example.com" });
    expect(made).toEqual({ name: "w", isNew: false });
    expect(master.requests.at(-1)?.body).toBe('{"url":"https://example.com"}');
  });
});

describe("a call that no master has answered", () => {
  const ask = async (address: string, options: ConnectionOptions = {}, what: "submit" | "workers" = "submit") => {
    const client = createClient({ masters: address, retryForMs: 0, ...options });
    const asked = what === "workers" ? client.workers() : client.submit({ kind: "sleep", input: { seconds: 1 } });
    const error = await asked.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof OutlastError)) throw new Error(`This is no error of a call: ${String(error)}`);
    return error;
  };
  const cutting = () => fake((_request, response) => response.cut());

  test("may have been done if a master may have taken it, and a submission says with which key to repeat it", async () => {
    const { url, requests } = await cutting();
    const { details } = await ask(url);
    expect(details).toMatchObject({ mayBeDone: true, key: requests[0]?.headers["idempotency-key"] });
    expect((await ask(url, {}, "workers")).details).not.toHaveProperty("mayBeDone");
  });

  test("has not been done if no master was reached, whichever way the error is told", async () => {
    const dead = await FakeMaster.start(() => {});
    const { url } = dead;
    await dead.stop();
    const code = "ECONNREFUSED";
    const plain = { fetch: () => Promise.reject(Object.assign(new Error("connect"), { code })) };
    for (const options of [{}, plain]) {
      const { details } = await ask(url, options);
      expect(details["cause"]).toMatch(/ECONNREFUSED|connect/);
      expect(details).not.toHaveProperty("mayBeDone");
    }
  });

  test("since its address begins with the wrong scheme says with which one it should begin", async () => {
    const { url } = await cutting();
    expect(await ask(url)).toMatchObject({
      message: `${url} has closed the connection without an answer.`,
      details: { reason: "unreachable", hint: "If it speaks TLS, write https:// in its address." },
    });
    const secure = url.replace("http:", "https:");
    const { message, details } = await ask(secure);
    expect(message).toBe(`${secure} does not speak TLS.`);
    expect(details).toMatchObject({ reason: "unreachable", hint: "Write http:// in its address." });
    expect(details).not.toHaveProperty("mayBeDone");
  });
});
