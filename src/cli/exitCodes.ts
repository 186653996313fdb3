/** The meaning of every exit code, printed by `outlast --help` and in docs/cli.md. */

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
  ok: "success",
  failed: "failure: a task that was waited for, a check of doctor, a promise in demo, or a server that could not start",
  usage: "wrong command line; nothing was done",
  unreachable: "no master answers, or none can commit at the moment; try again",
  refused: "refused by a master: not found, conflict, invalid, missing or wrong token",
  internal: "a bug in outlast; OUTLAST_DEBUG=1 prints the stack",
  interrupted: "Ctrl-C",
  terminated: "SIGTERM",
};

export function exitCodeRows(): { readonly code: ExitCode; readonly meaning: string }[] {
  return (Object.keys(exitCodes) as (keyof typeof exitCodes)[]).map((name) => ({
    code: exitCodes[name],
    meaning: meanings[name],
  }));
}
