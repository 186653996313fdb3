/** The script that makes a replica set, with servers that only say how they stand: no server of the tests can hold an election. */
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";

type State = "new" | "member" | "primary" | "away";

const hosts = ["a:1", "b:1", "c:1"];
const script = /--eval '\n([^]*)'\n$/.exec(readFileSync("deploy/images/mongodb/initiate", "utf8"))?.[1] ?? "";

class Ended extends Error {}

/** Runs it against states that follow each other at each look. Returns its exit code and what it was asked to make. */
function initiate(looks: readonly (readonly State[])[]): { code: number | null; made: object[] } {
  const made: object[] = [];
  let look = 0;
  let code: number | null = null;
  const connect = (address: string) => {
    const host = /^mongodb:\/\/([^/]+)\/admin\?/.exec(address)?.[1] ?? "";
    const state = looks[look]?.[hosts.indexOf(host)];
    if (state === "away") throw new Error("no server");
    return {
      hello: () => ({ isWritablePrimary: state === "primary" }),
      adminCommand: (command: { replSetInitiate?: object }) => {
        if (command.replSetInitiate !== undefined) return made.push({ at: host, ...command.replSetInitiate });
        if (state === "new") throw Object.assign(new Error("no config"), { codeName: "NotYetInitialized" });
        return {};
      },
    };
  };
  const quit = (exitCode: number) => {
    code = exitCode;
    throw new Ended();
  };
  const sleep = () => {
    look += 1;
    if (look === looks.length) throw new Ended();
  };
  const process = { env: { OUTLAST_MONGODB_MEMBERS: hosts.join(",") } };
  try {
    runInNewContext(script, { connect, quit, sleep, process, print: () => undefined });
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
  }
  return { code, made };
}

describe("the script that makes a replica set", () => {
  test("makes one of servers that know none, and ends once it has a primary", () => {
    const members = hosts.map((host, _id) => ({ _id, host }));
    expect(
      initiate([
        ["new", "away", "new"],
        ["new", "new", "new"],
        ["member", "member", "new"],
        ["primary", "member", "member"],
      ]),
    ).toEqual({ code: 0, made: [{ at: "a:1", _id: "outlast", members }] });
  });

  test("run again, it leaves the set as it is", () => {
    expect(initiate([["member", "primary", "member"]])).toEqual({ code: 0, made: [] });
  });

  test("makes no second set where a member has lost its disk, another is away, and none leads for the moment", () => {
    const looks = [
      ["new", "member", "away"],
      ["new", "member", "member"],
      ["new", "primary", "member"],
    ] as const;
    expect(initiate(looks)).toEqual({ code: 0, made: [] });
  });

  test("waits as long as a server does not answer", () => {
    const looks = [
      ["new", "new", "away"],
      ["new", "new", "away"],
    ] as const;
    expect(initiate(looks)).toEqual({ code: null, made: [] });
  });
});
