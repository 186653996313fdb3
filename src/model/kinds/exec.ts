/** The kind `exec`: runs commands on a worker's machine. Its executor is `src/worker/executors/exec.ts`. */
import { blobReferencePattern, sha256Of } from "../blob.ts";
import type { Json, JsonObject } from "../json.ts";
import { limits } from "../limits.ts";
import { closed, limitKeyword, list, type Schema, truth, whole, wordsKeyword } from "../schema.ts";
import { utf8Bytes } from "../utf8.ts";
import { relativePathProblem } from "./execPaths.ts";
import { invalid, isObject, type KindDefinition, quote } from "./kind.ts";
import { checkApart, checkText, checkVariables, processText, shellWord, variables } from "./processText.ts";

export type ExecInput = ExecFields &
  (
    | {
        /** The program and its arguments. */
        readonly command?: readonly string[];
        readonly shell?: boolean;
      }
    | {
        /** One line for `/bin/sh -c`, as a string or as a list of one. */
        readonly command: readonly string[] | string;
        readonly shell: true;
      }
  );

interface ExecFields {
  /** Instead of `command`: several, one after another; the first that fails ends the attempt. With `shell`, one string each. */
  readonly commands?: readonly (readonly string[] | string)[];
  /** Added to a small environment of the worker's choice. */
  readonly env?: { readonly [name: string]: string };
  /** The same, shown to nobody who may only read. Needs a worker of this version. */
  readonly secretEnv?: { readonly [name: string]: string };
  /** Where to run it, on the worker's machine; relative to the worker's own directory for tasks, or to the attempt's folder. */
  readonly cwd?: string;
  /**
   * How much memory it may use with all that it starts, in bytes, where the worker can bound that; each of its processes elsewhere.
   * Unbounded if left out.
   */
  readonly memoryBytesMax?: number;
  /** How many processes and threads it may be at a time, with all that it starts. It waits for a worker that can bound that. */
  readonly processesMax?: number;
  /** What each command reads from its stdin: a text, or a blob. Empty if left out. */
  readonly stdin?: string | { readonly blob: string };
  /** Blobs that are put into the attempt's folder under these names, such as `{ "in/data.csv": "sha256:…" }`. */
  readonly files?: { readonly [name: string]: string };
  /** Patterns such as `out/**`: what matches in the attempt's folder is kept after success. */
  readonly artifacts?: readonly string[];
}

/** The label of workers that can bound how many processes a command is: a task that asks for it requires it. */
export const boundsProcesses = "bounds=processes";

/** Names that would let a submitter change what the worker itself runs. */
export const forbiddenEnvironment = /^(LD_.*|DYLD_.*|NODE_OPTIONS|NODE_PATH|PATH|BASH_ENV|ENV|IFS|OUTLAST_.*)$/;

const blobReference: Schema = {
  type: "string",
  pattern: blobReferencePattern,
  [wordsKeyword]: "`sha256:` and 64 hex digits",
  description: "A blob: `sha256:` and 64 hex digits.",
};
const argumentList = list(processText, {
  minItems: 1,
  maxItems: limits.execArgumentsMax,
  [limitKeyword]: "execArgumentsMax",
});

export const execKind: KindDefinition = {
  name: "exec",
  inputName: "ExecInput",
  inputSchema: closed(
    {},
    {
      command: {
        // No `anyOf`: a placeholder that is the whole command of a template takes a list with its type.
        ...argumentList,
        type: ["array", "string"],
        maxLength: limits.stringBytesMax,
        description:
          "A program and its arguments; with `shell`, one line for /bin/sh, as a string or as a list of one.",
      },
      commands: list(
        { anyOf: [argumentList, processText] },
        {
          minItems: 1,
          maxItems: limits.execCommandsMax,
          [limitKeyword]: "execCommandsMax",
          description: "Instead of `command`: run one after another; the first that fails ends the attempt.",
        },
      ),
      env: variables,
      secretEnv: { ...variables, description: "Like `env`, and hidden from those who may only read." },
      cwd: processText,
      shell: {
        ...truth,
        default: false,
        description: "`command` is one line for /bin/sh, and so is each of `commands`.",
      },
      memoryBytesMax: {
        ...whole(limits.execMemoryBytesMin, limits.execMemoryBytesMax, "execMemoryBytesMax"),
        description:
          "How much memory it may use with all that it starts, or each of its processes where the worker cannot bound the whole.",
      },
      processesMax: {
        ...whole(1, limits.execProcessesMax, "execProcessesMax"),
        description: "How many processes and threads it may be at a time; it waits for a worker that can bound that.",
      },
      stdin: {
        anyOf: [processText, closed({ blob: blobReference })],
        description: "What each command reads from its stdin.",
      },
      files: {
        type: "object",
        maxProperties: limits.execFilesMax,
        [limitKeyword]: "execFilesMax",
        additionalProperties: blobReference,
        description:
          "Blobs that are put into the attempt's folder, by their names there. In a task that waits for others also their artifacts: `${tasks.NAME.artifacts.PATH}`.",
      },
      artifacts: list(processText, {
        maxItems: limits.execPatternsMax,
        [limitKeyword]: "execPatternsMax",
        description: "Patterns with * ** and ?: what matches in the attempt's folder is kept after success.",
      }),
    },
    { examples: [{ command: ["make", "test"] }] },
  ),
  secretMembers: ["secretEnv"],
  normalize: (input) =>
    input["shell"] === true && typeof input["command"] === "string" ? { ...input, command: [input["command"]] } : input,
  labels: ({ processesMax }) => (processesMax === undefined ? [] : [boundsProcesses]),
  check: checkExec,
  checkKnown: (known, path) => {
    const { command, commands, shell } = known;
    if (command !== undefined || commands !== undefined) checkCommands(known, path, shell === true);
  },
  describe: (input) => {
    // Of a task that somebody put straight into the store, it may be anything.
    const { command = [], commands: several = [] } = input;
    if (!Array.isArray(several) || !(Array.isArray(command) || typeof command === "string")) return null;
    const commands = commandsOf(input);
    return commands.length === 0 ? null : commands.map((words) => words.map(shellWord).join(" ")).join("; ");
  },
};

/**
 * What of an input `/bin/sh` would read as its program, with the place of it in the input; null for one without a shell. The input need
 * not be valid: a placeholder may stand for any part of it.
 */
export function shellProgramOf(input: JsonObject): { readonly place: string; readonly program: Json } | null {
  const { shell = false, command = [], commands } = input;
  if (shell === false) return null;
  return { place: commands === undefined ? "command" : "commands", program: [shell, command, commands ?? []] };
}

/** The commands in order, whichever way they were written. */
export function commandsOf({
  command,
  commands,
}: Pick<ExecInput, "command" | "commands">): readonly (readonly string[])[] {
  const given = commands ?? (command === undefined ? [] : [command]);
  return given.map((words) => (typeof words === "string" ? [words] : words));
}

/** True if the attempt needs a folder of its own. */
export function needsFolder({ stdin, files, artifacts }: ExecInput): boolean {
  return stdin !== undefined || Object.keys(files ?? {}).length > 0 || (artifacts ?? []).length > 0;
}

/** The blobs that such a task cannot run without. */
export function execBlobsOf(input: Json): readonly string[] {
  if (!isObject(input)) return [];
  const { files = {}, stdin = "" } = input;
  const references = [...(isObject(files) ? Object.values(files) : []), isObject(stdin) ? stdin["blob"] : ""];
  return references.map((each) => (typeof each === "string" ? sha256Of(each) : null)).filter((each) => each !== null);
}

function checkExec(input: JsonObject, path: string): void {
  const { env = {}, secretEnv = {}, cwd = "", shell, stdin, files = {}, artifacts = [] } = input;
  checkCommands(input, path, shell === true);
  checkText(cwd as string, `${path}/cwd`);
  checkVariables(env, `${path}/env`, forbiddenEnvironment);
  checkVariables(secretEnv, `${path}/secretEnv`, forbiddenEnvironment);
  checkApart(env, secretEnv, path);
  if (typeof stdin === "string" && utf8Bytes(stdin) > limits.stringBytesMax) {
    throw invalid(`${path}/stdin`, "This text is too long for a submission: upload it as a blob.", "stringBytesMax");
  }
  checkPaths(Object.keys(isObject(files) ? files : {}), artifacts as string[], path);
}

function checkCommands({ command, commands }: JsonObject, path: string, isShell: boolean): void {
  if ((command === undefined) === (commands === undefined)) {
    throw invalid(`${path}/command`, 'The input has either "command" or "commands".');
  }
  const given = (commands ?? [command]) as (string | string[])[];
  for (const [index, words] of given.entries()) {
    const place = commands === undefined ? `${path}/command` : `${path}/commands/${index}`;
    if (typeof words === "string") {
      if (!isShell) throw invalid(place, lineWithoutShell(words, commands !== undefined));
      checkText(words, place);
      if (words === "") throw invalid(place, "The line for the shell is empty.");
      continue;
    }
    for (const [at, argument] of words.entries()) checkText(argument, `${place}/${at}`);
    if (words[0] === "") throw invalid(`${place}/0`, "The program's name is empty.");
    if (isShell && words.length !== 1) throw invalid(place, wordsForShell(words, commands !== undefined));
  }
}

/** What to write instead of a line without a shell: with the line itself, if it is short. */
function lineWithoutShell(line: string, isOneOfSeveral: boolean): string {
  const shown = line.trim().length > 0 && line.length <= exampleLengthMax ? line.trim() : "echo x";
  const words = JSON.stringify(shown.split(/\s+/));
  const [list, text] = isOneOfSeveral
    ? [`"commands": [${words}]`, `"commands": [${JSON.stringify(shown)}]`]
    : [`"command": ${words}`, `"command": ${JSON.stringify(shown)}`];
  return `A command is a list, the program and its arguments: ${list}. For a line of /bin/sh, write "shell": true and ${text}.`;
}

function wordsForShell(words: readonly string[], isOneOfSeveral: boolean): string {
  const line = words.join(" ");
  const shown = JSON.stringify(line.length <= exampleLengthMax ? line : "echo x");
  const text = isOneOfSeveral ? `"commands": [${shown}]` : `"command": ${shown}`;
  return `With "shell" the command is one string, a line for /bin/sh: ${text}. To pass words as they are, leave out "shell".`;
}

/** Characters of a command that an error repeats. */
const exampleLengthMax = 60;

function checkPaths(names: readonly string[], patterns: readonly string[], path: string): void {
  for (const name of names) {
    const problem = relativePathProblem(name);
    if (problem !== null) throw invalid(`${path}/files`, `The file ${quote(name)} cannot be made: ${problem}.`);
    const folder = names.find((other) => other.startsWith(`${name}/`));
    if (folder !== undefined) {
      throw invalid(`${path}/files`, `${quote(name)} cannot be a file and the folder of ${quote(folder)}.`);
    }
  }
  for (const [index, pattern] of patterns.entries()) {
    const problem = relativePathProblem(pattern);
    if (problem !== null) throw invalid(`${path}/artifacts/${index}`, `${quote(pattern)} is no pattern: ${problem}.`);
  }
}
