/** The bearer token of a process, which is looked for anew where masters refuse it: tokens are replaced while processes run. */
import { errorStatus } from "./errors.ts";

/** A token, null for none, or a function that is asked at first and again each time that masters have refused what it gave. */
export type TokenSource = string | null | (() => string | null);

export class Bearer {
  readonly #source: TokenSource;
  #token: string | null;
  #problem: string | null = null;

  /** @throws whatever the function throws when it is asked first */
  constructor(source: TokenSource) {
    this.#source = source;
    this.#token = typeof source === "function" ? source() : source;
  }

  get token(): string | null {
    return this.#token;
  }

  /** A master has refused this one. @returns whether there is another by now */
  renew(refused: string | null): boolean {
    if (this.#token !== refused) return true;
    if (typeof this.#source !== "function") return false;
    try {
      this.#token = this.#source();
      this.#problem = null;
    } catch (error) {
      // It may be written at this moment. The next refusal asks again.
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    return this.#token !== refused;
  }

  /** What becomes of a process whose token is refused, for people. */
  get outlook(): string {
    if (typeof this.#source !== "function")
      return "This process has no other: start it anew with one that masters take.";
    return `${this.#problem ?? "Its file has no other yet."} It is read again with each try.`;
  }
}

/**
 * Whether it may be the token that was refused: it is wrong, or one that may not do this; and while an address has to wait after wrong
 * ones, masters look at no other.
 */
export function mayBeRefused(status: number | undefined): boolean {
  return [errorStatus.unauthorized, errorStatus.forbidden, errorStatus["too-many"]].some((each) => each === status);
}
