/** The files of one attempt, as a worker deals with them: what it puts in, what it finds, reads and removes. */

/** What an attempt has left, or was given, cannot be used as it is; the message is for people. */
export class FolderProblem extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface FoundArtifact {
  /** Relative, with slashes. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/**
 * A folder with files of a task. Nothing in it can be trusted while a process of the task's user runs. Every call may also reject
 * with what the system says, which has a `code`.
 */
export interface FileTree {
  /** Absolute. */
  readonly path: string;
  /** Writes a file that is not there yet, and makes the folders above it. `name` was checked when the task was submitted. */
  put(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Removes a file, if it is there. */
  discard(name: string): Promise<void>;
  /** The files that match, in the order of their paths. @throws FolderProblem */
  find(patterns: readonly string[]): Promise<readonly FoundArtifact[]>;
  /** The content of a file. A link in its place is not followed, and nothing but a regular file is read. @throws FolderProblem */
  read(path: string): AsyncGenerator<Uint8Array, void, undefined>;
  /** Processes of the task are about to run: keeps nothing between two calls that they could stop or kill. */
  rest(): void;
  /** With all that is in it. Does nothing if it is gone. */
  remove(): Promise<void>;
}
