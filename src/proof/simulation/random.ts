/** All chance of a simulation: a small generator whose streams hang on one seed and a name, and on nothing else. */

import { hashText } from "../checkers/hashText.ts";

/** sfc32 (Chris Doty-Humphrey's "small fast counter"), seeded by a hash of the seed and the stream's name. */
export class Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    this.#seed = seed;
    this.#a = hashText(seed);
    this.#b = hashText(`${seed}+`);
    this.#c = hashText(`${seed}-`);
    for (let round = 0; round < 12; round++) this.next();
  }

  /** A stream of its own: what one part of the world draws does not shift what another part gets. */
  fork(name: string): Random {
    return new Random(`${this.#seed}/${name}`);
  }

  /** From 0 to just below 1. */
  next(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result;
    return (result >>> 0) / 4294967296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** Like `integer`, but small values are as likely as large ones are: each factor of ten gets the same share. */
  spread(min: number, max: number): number {
    const low = Math.log(Math.max(1, min));
    const high = Math.log(Math.max(1, max));
    return Math.round(Math.exp(low + this.next() * (high - low)));
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new Error("there is nothing to pick from");
    return item;
  }

  /** `digits` characters of base 32. */
  name(digits: number): string {
    let text = "";
    while (text.length < digits) text += Math.floor(this.next() * 32).toString(32);
    return text;
  }
}
