/** The kind `exec`: runs a command on a worker's machine. Its executor is `src/worker/executors/exec.ts`. */
import type { Json, JsonObject } from "../json.ts";
import { limits } from "../limits.ts";
import { closed, limitKeyword, list, type Schema, truth, whole } from "../schema.ts";
import { utf8Bytes } from "../utf8.ts";
import { invalid, isObject, type KindDefinition, quote } from "./kind.ts";

export interface ExecInput {
  /** The program and its arguments; with `shell`, exactly one string for `/bin/sh -c`. */
  readonly command: readonly string[];
  /** Added to a small environment of the worker's choice. */
  readonly env?: { readonly [name: string]: string };
  /** The same, shown to nobody who may only read. Needs a worker of this version. */
  readonly secretEnv?: { readonly [name: string]: string };
  /** Where to run it, on the worker's machine; relative to the worker's own directory for tasks. */
  readonly cwd?: string;
  readonly shell?: boolean;
  /** How much memory each of its processes may use, in bytes; unbounded if left out. */
  readonly memoryBytesMax?: number;
}

/** Names that would let a submitter change what the worker itself runs. */
const forbiddenEnvironment = /^(LD_.*|DYLD_.*|NODE_OPTIONS|NODE_PATH|PATH|BASH_ENV|ENV|IFS|OUTLAST_.*)$/;

/** Text that reaches a process as one argument or variable. */
const processText: Schema = { type: "string", maxLength: limits.stringBytesMax, [limitKeyword]: "stringBytesMax" };

const variables: Schema = {
  type: "object",
  maxProperties: limits.execEnvironmentMax,
  [limitKeyword]: "execEnvironmentMax",
  additionalProperties: processText,
};

export const execKind: KindDefinition = {
  name: "exec",
  inputName: "ExecInput",
  inputSchema: closed(
    {
      command: list(processText, {
        minItems: 1,
        maxItems: limits.execArgumentsMax,
        [limitKeyword]: "execArgumentsMax",
      }),
    },
    {
      env: variables,
      secretEnv: { ...variables, description: "Like `env`, and hidden from those who may only read." },
      cwd: processText,
      shell: { ...truth, default: false, description: "`command` is one line for /bin/sh." },
      memoryBytesMax: {
        ...whole(limits.execMemoryBytesMin, limits.execMemoryBytesMax, "execMemoryBytesMax"),
        description: "How much memory each of its processes may use; unbounded if left out.",
      },
    },
  ),
  secretMembers: ["secretEnv"],
  check: checkExec,
  describe: ({ command }) => (Array.isArray(command) ? command.map(shellWord).join(" ") : null),
};

function checkExec({ command, env = {}, secretEnv = {}, cwd = "", shell }: JsonObject, path: string): void {
  const words = command as string[];
  for (const [index, argument] of words.entries()) checkText(argument, `${path}/command/${index}`);
  if (words[0] === "") throw invalid(`${path}/command/0`, "The program's name is empty.");
  if (shell === true && words.length !== 1) {
    throw invalid(`${path}/command`, 'With "shell" the command is one string, a line for /bin/sh.');
  }
  checkText(cwd as string, `${path}/cwd`);
  checkVariables(env, `${path}/env`);
  checkVariables(secretEnv, `${path}/secretEnv`);
  for (const name of isObject(secretEnv) && isObject(env) ? Object.keys(secretEnv) : []) {
    if (Object.hasOwn(env as JsonObject, name)) throw invalid(`${path}/secretEnv/${name}`, `${name} is in env, too.`);
  }
}

function checkVariables(given: Json, path: string): void {
  for (const [name, value] of Object.entries(isObject(given) ? given : {})) {
    checkText(value as string, `${path}/${name}`);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw invalid(`${path}/${name}`, `${quote(name)} is not a valid name of an environment variable.`);
    if (forbiddenEnvironment.test(name))
      throw invalid(`${path}/${name}`, `A task may not set ${name}: it belongs to the worker.`);
  }
}

/** No process can be given a NUL byte, a lone surrogate has no UTF-8, and Linux takes no argument of more than 128 KiB. */
function checkText(value: string, path: string): void {
  const bytes = utf8Bytes(value);
  if (bytes > limits.stringBytesMax) {
    const message = `The text has ${bytes} bytes; ${limits.stringBytesMax} are allowed.`;
    throw invalid(path, message, "stringBytesMax");
  }
  if (value.includes("\0") || !value.isWellFormed())
    throw invalid(path, "NUL and broken characters are not allowed here.");
}

function shellWord(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
