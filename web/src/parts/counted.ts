/** Numbers of things in sentences: `1 task`, `2,000 tasks`. */

const number = new Intl.NumberFormat();

/** @param plural where it is not made by an s */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${number.format(count)} ${count === 1 ? noun : plural}`;
}
