/** Output of a terminal as pieces of text with colours. The pieces stay text: no markup is ever made of them. */
import { AnsiUp } from "ansi_up";

export interface Piece {
  readonly text: string;
  readonly colour?: string;
  readonly background?: string;
  readonly isBold?: boolean;
  readonly isFaint?: boolean;
  readonly isItalic?: boolean;
  readonly isUnderlined?: boolean;
}

interface Colour {
  readonly rgb: readonly number[];
  readonly class_name: string;
}

interface Fragment {
  readonly text: string;
  readonly fg: Colour | null;
  readonly bg: Colour | null;
  readonly bold: boolean;
  readonly faint: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
}

/** The two steps of the library that would make markup. */
interface Steps {
  transform_to_html: (fragment: Fragment) => string;
  process_hyperlink: (packet: { readonly text: string; readonly url: string }) => string;
}

/** Control characters that are left have no meaning on a page. */
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** Reads one log, line by line; colours last until they are changed. */
export class AnsiReader {
  readonly #parser = new AnsiUp();
  #pieces: Piece[] = [];

  constructor() {
    const steps = this.#parser as unknown as Steps;
    steps.transform_to_html = (fragment) => {
      this.#add(fragment);
      return "";
    };
    steps.process_hyperlink = ({ text }) => {
      this.#pieces.push({ text: text.replace(controls, "") });
      return "";
    };
  }

  read(line: string): readonly Piece[] {
    this.#pieces = [];
    this.#parser.ansi_to_html(line);
    return this.#pieces;
  }

  #add({ text, fg, bg, bold, faint, italic, underline }: Fragment): void {
    const shown = text.replace(controls, "");
    if (shown === "") return;
    this.#pieces.push({
      text: shown,
      ...(fg !== null && { colour: toCss(fg) }),
      ...(bg !== null && { background: toCss(bg) }),
      ...(bold && { isBold: true }),
      ...(faint && { isFaint: true }),
      ...(italic && { isItalic: true }),
      ...(underline && { isUnderlined: true }),
    });
  }
}

/** The sixteen colours follow the theme; all others are as they were asked for. */
function toCss({ rgb, class_name: name }: Colour): string {
  const plain = /^ansi-(?:bright-)?(\w+)$/.exec(name)?.[1];
  return plain === undefined ? `rgb(${rgb.join(" ")})` : `var(--ansi-${plain})`;
}
