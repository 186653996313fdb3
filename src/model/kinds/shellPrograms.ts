/** Finds what a shell that a command starts would read as its program: `echo x` in `["sh", "-c", "echo x"]`. */
import type { Json, JsonObject } from "../json.ts";

/** Programs that take another one as their last words. `sh -c` behind anything else is an argument like any other. */
const starters = new Set(
  "busybox chroot doas env flock ionice nice nohup nsenter runuser setsid stdbuf su sudo time timeout unshare xargs".split(
    " ",
  ),
);
const shells = new Set("ash bash csh dash fish ksh mksh rbash sh tcsh yash zsh".split(" "));
/** They hand the program after their own `-c` to a shell. */
const shellStarters = new Set(["flock", "runuser", "su"]);
/** Options of shells with a value in the next word; a cluster such as `-eo` takes one, too. */
const optionsWithValue = /^(--rcfile|--init-file|--init-command|[-+][A-Za-z]*[oO])$/;
const programOption = /^(-[A-Za-z]*c[A-Za-z]*|--command)$/;
const attachedProgram = /^--command=/;

/** The programs of shells in an input of `exec` or `container`, which need not be valid, with their places in it. */
export function* shellProgramsIn(input: JsonObject): Generator<{ readonly place: string; readonly program: string }> {
  const { command = [], commands = [], entrypoint } = input;
  if (Array.isArray(command)) {
    // In a container the entry point comes first.
    const before = typeof entrypoint === "string" ? [entrypoint] : [];
    const found = programOf([...before, ...command]);
    if (found !== null) yield { place: `command/${found.index - before.length}`, program: found.program };
  }
  for (const [index, words] of Array.isArray(commands) ? commands.entries() : []) {
    const found = Array.isArray(words) ? programOf(words) : null;
    if (found !== null) yield { place: `commands/${index}/${found.index}`, program: found.program };
  }
}

interface Found {
  readonly index: number;
  readonly program: string;
}

function programOf(words: readonly Json[]): Found | null {
  const first = nameOf(words[0]);
  if (shells.has(first)) return programAfter(words, 1);
  if (!starters.has(first)) return null;
  const shell = words.findIndex((word, index) => index > 0 && shells.has(nameOf(word)));
  const found = shell === -1 ? null : programAfter(words, shell + 1);
  return found ?? (shellStarters.has(first) ? programOfStarter(words) : null);
}

/** Reads the options of a shell, as the shell does. */
function programAfter(words: readonly Json[], from: number): Found | null {
  let isNext = false;
  for (let index = from; index < words.length; index += 1) {
    const word = words[index];
    if (typeof word !== "string") return null;
    if (attachedProgram.test(word)) return { index, program: word };
    const isOption = /^[-+]./.test(word) && word !== "--";
    if (programOption.test(word)) isNext = true;
    if (optionsWithValue.test(word)) index += 1;
    if (isOption) continue;
    const at = word === "--" || word === "-" ? index + 1 : index;
    const program = words[at];
    return isNext && typeof program === "string" ? { index: at, program } : null;
  }
  return null;
}

/** `su USER -c PROGRAM`: options stand anywhere. */
function programOfStarter(words: readonly Json[]): Found | null {
  for (const [index, word] of words.entries()) {
    if (typeof word !== "string") continue;
    if (attachedProgram.test(word)) return { index, program: word };
    const next = words[index + 1];
    if (programOption.test(word)) return typeof next === "string" ? { index: index + 1, program: next } : null;
  }
  return null;
}

/** The name of a program without its folder. */
function nameOf(word: Json | undefined): string {
  return typeof word === "string" ? word.slice(word.lastIndexOf("/") + 1) : "";
}
