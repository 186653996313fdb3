/** What a planted bug is: a small patch to the source, in a scratch copy only. */

export interface Mutant {
  /** Says what the broken code does; `real` marks bugs that a seed once found, with that seed. */
  readonly name: string;
  /** Mostly one; two where a second line of defence would hide the bug. */
  readonly patches: readonly Patch[];
}

export interface Patch {
  /** Path from the root of the project. */
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly search: string;
  readonly replace: string;
}
