/** Bugs to be found from outside: planted where requests come in, and where the worker protocol is believed. */
import type { Mutant } from "./mutant.ts";

export const apiMutants: readonly Mutant[] = [
  {
    name: "lets the names of prototypes in",
    patches: [{ file: "src/model/strictJson.ts", search: "if (forbiddenKeys.has(key))", replace: 'if (key === "")' }],
  },
  {
    name: "follows JSON to any depth",
    patches: [
      { file: "src/api/http/jsonScan.ts", search: "if (depth > limits.jsonDepthMax)", replace: "if (depth < 0)" },
    ],
  },
  {
    name: "takes a number that is not exact",
    patches: [
      {
        file: "src/model/strictJson.ts",
        search: '  return { message: "A number is too',
        replace: '  if (path !== "x") return null;\n  return { message: "A number is too',
      },
    ],
  },
  {
    name: "breaks over the logs of a task that is not there, and shows where",
    patches: [
      {
        file: "src/api/routes/logRoutes.ts",
        search: "  if (document === null) throw noSuchTask(task, actor);\n",
        replace: "  if (document === null) return (null as unknown as { task: TaskDocument }).task;\n",
      },
      {
        file: "src/api/http/errors.ts",
        search: '"Internal error in the master."',
        replace: "String((thrown as Error).stack)",
      },
    ],
  },
  {
    name: "thinks for 400 ms about a state that is not known",
    patches: [
      {
        file: "src/api/routes/taskRoutes.ts",
        search: '    throw new OutlastError("bad-request", `Unknown state',
        replace:
          '    for (const until = Date.now() + 400; Date.now() < until; );\n    throw new OutlastError("bad-request", `Unknown state',
      },
    ],
  },
  {
    name: "pauses a queue before it has looked at the request's body",
    patches: [
      {
        file: "src/api/routes/serveRoutes.ts",
        search: 'if (route.method !== "GET") check(request.body);',
        replace:
          'if (route.name === "pauseQueue") void context.master.setQueue("early", { isPaused: true }).catch(() => {});\n        if (route.method !== "GET") check(request.body);',
      },
    ],
  },
  {
    name: "remembers every body that it was sent",
    patches: [
      {
        file: "src/api/http/jsonBody.ts",
        search: "  const { isSuspicious } = scanJson(bytes);",
        replace: "  kept.push(Buffer.alloc(400_000, 1));\n  const { isSuspicious } = scanJson(bytes);",
      },
      {
        file: "src/api/http/jsonBody.ts",
        search: "const decoder =",
        replace: "const kept: Buffer[] = [];\nconst decoder =",
      },
    ],
  },
  {
    name: "dies of a client that hangs up",
    patches: [
      {
        file: "src/api/http/connectionLimits.ts",
        search: '  if (error.code === "ECONNRESET" || !socket.writable) {\n',
        replace: '  if (error.code === "ECONNRESET" || !socket.writable) {\n    throw error;\n',
      },
    ],
  },
  {
    name: "takes a cursor that nobody was given for a bug",
    patches: [
      {
        file: "src/stores/cursor.ts",
        search: 'throw new OutlastError("bad-request",',
        replace: 'throw Object.assign(new TypeError("cursor"), {}) ?? new OutlastError("bad-request",',
      },
    ],
  },
  {
    name: "asks for no token where queues are set",
    patches: [
      {
        file: "src/api/http/server.ts",
        search: "if (!isPage && outlast?.access.needs !==",
        replace: 'if (!isPage && outlast?.tag !== "queues" && outlast?.access.needs !==',
      },
    ],
  },
  {
    name: "believes reports of any session",
    patches: [
      {
        file: "src/core/scheduler/sessions.ts",
        search: "  if (worker === undefined || worker.session !== input.session || worker.isGivenUp) {",
        replace: "  if (worker === undefined || worker.isGivenUp) {",
      },
    ],
  },
  {
    name: "lets a session that never was push out the one that counts (real: seed 1)",
    patches: [
      {
        file: "src/master/service/masterService.ts",
        search: "const isOwn = streams.isKnown(worker, session) && streams",
        replace: "const isOwn = streams",
      },
    ],
  },
  {
    name: "takes output of anybody's attempts (real: seed 1)",
    patches: [
      {
        file: "src/master/service/masterService.ts",
        search: "this.#parts.logOwners.ownPieces(worker, chunks)",
        replace: "this.#parts.logOwners.ownPieces(worker, chunks).then(() => chunks)",
      },
    ],
  },
  {
    name: "cuts the follower of a long log off before its first byte (real: seed 1)",
    patches: [
      {
        file: "src/api/events/logFollower.ts",
        search: "      if (this.#stream.isBusy) await this.#stream.drained();\n",
        replace: "",
      },
    ],
  },
  {
    name: "ends the connection after any refusal, and what was pipelined with it (real: seed 1)",
    patches: [
      {
        file: "src/api/http/server.ts",
        search: "!request.raw.complete && hasBody(request)",
        replace: "!request.raw.complete && !hasBody({ ...request, headers: {} } as FastifyRequest)",
      },
    ],
  },
  {
    name: "answers an unknown expectation without a word (real: seed 1)",
    patches: [
      {
        file: "src/api/http/connectionLimits.ts",
        search: '  server.on("checkExpectation",',
        replace: '  server.on("none",',
      },
    ],
  },
];
