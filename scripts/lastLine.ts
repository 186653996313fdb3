/** What the error of a program says in its last line: of its stderr, or its message where that is empty. */
export function lastLine(error: unknown): string {
  const { stderr = "", message = "" } = error as { stderr?: string; message?: string };
  return (stderr.trim() || message).split("\n").at(-1) ?? "";
}
