/** Why a program could not be started, in words, and whose fault that is: the task's, or the machine's. */
import { SpawnError } from "../ports/processes.ts";

interface Reason {
  readonly fault: SpawnError["fault"];
  readonly text: string;
}

/** What the system says where the program or its arguments are wrong; on any other machine the task would fail alike. */
const ofTask: { readonly [code: string]: string } = {
  E2BIG: "its arguments and environment are too long for this machine",
  EACCES: "this worker may not execute it",
  EINVAL: "the system does not accept its arguments",
  EISDIR: "it is a directory",
  ELOOP: "its path has too many symbolic links",
  ENAMETOOLONG: "its path is too long",
  ENOENT: "it does not exist",
  ENOEXEC: "it is not a program that this machine can execute",
  ENOTDIR: "a part of its path is not a directory",
  EPERM: "this worker may not execute it",
  ERR_INVALID_ARG_VALUE: "its arguments or its environment hold a NUL character",
  ETXTBSY: "somebody is writing it",
};

const ofMachine: { readonly [code: string]: string } = {
  EAGAIN: "this machine allows no more processes",
  EIO: "this machine's disk has failed",
  EMFILE: "this worker has too many files open",
  ENFILE: "this machine has too many files open",
  ENOMEM: "this machine has no memory left for it",
  ENOSPC: "this machine's disk is full",
  EROFS: "this machine's disk is read-only",
  ETIMEDOUT: "this machine's disk does not answer",
  ESTALE: "this machine has lost the connection to a network file system",
};

/** Whatever is not known to be the task's fault is the machine's. */
function reasonOf(code: string): Reason {
  const text = ofTask[code];
  if (text !== undefined) return { fault: "task", text };
  return { fault: "machine", text: ofMachine[code] ?? code };
}

export function toSpawnError(program: string, error: unknown): SpawnError {
  const { fault, text } = reasonOf(codeOf(error));
  return new SpawnError(`${quote(program)} could not be started: ${text}.`, fault, { cause: error });
}

/** True if the system could not even look: that says nothing about what was looked for. */
export function isMachineFault(error: unknown): boolean {
  return reasonOf(codeOf(error)).fault === "machine";
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
