/** Text for terminals: its width, cut to a width, and without dangerous control sequences. */
import { stripVTControlCharacters } from "node:util";

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const zeroWidth = /\p{Mark}|\u200d|\ufe0f/u;

/** Columns that the text takes up; colours take none. */
export function widthOf(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  let width = 0;
  for (const character of plain) width += zeroWidth.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** At most `max` columns; what was longer ends in an ellipsis. For text without colours. */
export function cut(text: string, max: number): string {
  if (widthOf(text) <= max) return text;
  let result = "";
  let width = 0;
  for (const character of text) {
    width += widthOf(character);
    if (width > max - 1) break;
    result += character;
  }
  return max <= 0 ? "" : `${result}…`;
}

/** Control characters as visible escapes, so that a name or message cannot move the cursor or disguise itself. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === "\n" || character === "\t") return character === "\n" ? "⏎" : " ";
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/**
 * Output of a task for a terminal: lines, tabs and colours pass, every other control sequence is shown as text.
 */
export function terminalSafe(text: string): string {
  // A colour is ESC [ digits and semicolons m. Other sequences could move the cursor, erase text, or send input.
  return text.replace(/\u001b\[[\d;]*m|\r\n|[\n\t]|[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (match) =>
    match.length > 1 || match === "\n" || match === "\t" ? match : match === "\r" ? "\n" : printable(match),
  );
}
