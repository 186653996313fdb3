/** What the exit code of every `outlast` command means: the one list, printed by `outlast --help` and in docs/cli.md. */

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const meanings: { readonly [Name in keyof typeof exitCodes]: string } = {
  ok: "what was asked for is done",
  failed: "what was asked for failed: a task that was waited for, a check of doctor, a process of up",
  usage: "the command line is wrong; nothing was done",
  unreachable: "no master answers, or none can commit at the moment; try again",
  refused: "a master refused: not found, conflict, not valid, no or wrong token",
  internal: "a bug in outlast; OUTLAST_DEBUG=1 shows where",
  interrupted: "Ctrl-C",
  terminated: "SIGTERM",
};

export function exitCodeRows(): { readonly code: ExitCode; readonly meaning: string }[] {
  return (Object.keys(exitCodes) as (keyof typeof exitCodes)[]).map((name) => ({
    code: exitCodes[name],
    meaning: meanings[name],
  }));
}
