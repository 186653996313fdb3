/** Numbers of things in sentences for people: `1 task`, `2 tasks`. */

/** @param plural where it is not made by an s */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
