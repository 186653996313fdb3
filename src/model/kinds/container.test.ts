/** Inputs of the kinds `container` and `remote`: what is refused, and what workers must be able to do for the rest. */
import { describe, expect, test } from "vitest";
import type { TaskId } from "../ids.ts";
import type { JsonObject } from "../json.ts";
import { toSpec } from "../submission.ts";
import { describeWork } from "./table.ts";

const image = "registry.example:5000/team/tool:1.2";

function submit(kind: string, input: JsonObject) {
  return toSpec({ kind, input }, { id: "t" as TaskId, fingerprint: null, now: 0 });
}

function refusal(path: string): Error {
  return expect.objectContaining({ code: "invalid", details: expect.objectContaining({ path }) as unknown }) as Error;
}

describe("a container task is refused", () => {
  test.each([
    ["without an image", { command: ["ls"] }, "/input/image"],
    ["with an option instead of an image", { image: "--privileged" }, "/input/image"],
    ["with a folder of the worker as an image", { image: "dir:/etc" }, "/input/image"],
    ["with a relative folder as an image", { image: "oci:etc" }, "/input/image"],
    ["with an archive of the worker as an image", { image: "docker-archive:/tmp/image.tar" }, "/input/image"],
    ["with a blank in its image", { image: "alpine latest" }, "/input/image"],
    ["with a relative mount", { image, mounts: [{ source: "data", target: "/data" }] }, "/input/mounts/0/source"],
    [
      "with a mount that holds options",
      { image, mounts: [{ source: "/a,readonly=false", target: "/b" }] },
      "/input/mounts/0/source",
    ],
    [
      "with a target that holds options",
      { image, mounts: [{ source: "/a", target: "/b:rw" }] },
      "/input/mounts/0/target",
    ],
    ["with a relative folder", { image, cwd: "work" }, "/input/cwd"],
    ["with a mark of its worker", { image, env: { OUTLAST_BOOT: "x" } }, "/input/env/OUTLAST_BOOT"],
    ["with a variable that is none", { image, env: { "a b": "x" } }, "/input/env/a b"],
    ["with a secret of two lines", { image, secretEnv: { KEY: "a\nPATH=b" } }, "/input/secretEnv/KEY"],
    ["with one variable twice", { image, env: { A: "1" }, secretEnv: { A: "2" } }, "/input/secretEnv/A"],
    ["with a NUL", { image, command: ["a\0b"] }, "/input/command/0"],
    ["with too little memory", { image, memoryBytesMax: 1024 }, "/input/memoryBytesMax"],
    ["with an option of the engine", { image, privileged: true }, "/input/privileged"],
  ])("%s", (_, input, path) => {
    expect(() => submit("container", input as JsonObject)).toThrow(refusal(path));
  });
});

test.each([
  "alpine",
  "docker:26-dind",
  "alpine:3.22",
  "docker.io/library/alpine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "localhost/outlast-worker:latest",
  image,
])("%s is an image", (name) => {
  expect(() => submit("container", { image: name })).not.toThrow();
});

test("a container is shown by its image and its words", () => {
  expect(describeWork({ kind: "container", input: { image: "alpine", command: ["echo", "a b"] } })).toBe(
    "alpine echo 'a b'",
  );
});

test("a remote task needs a worker that knows its service", () => {
  expect(submit("remote", { service: "batch", job: [1] })).toMatchObject({ requires: ["remote=batch"] });
  expect(describeWork({ kind: "remote", input: { service: "batch" } })).toBe("remote batch");
  expect(() => submit("remote", { service: "a,b" })).toThrow(refusal("/input/service"));
  expect(() => submit("remote", {})).toThrow(refusal("/input/service"));
});
