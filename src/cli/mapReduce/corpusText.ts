/** Makes text that resembles prose, the same bytes on every machine: words by Zipf's law, punctuation, capitals, a few letters beyond ASCII. */

const wordsMax = 200_000;
const lineLengthMax = 78;
const consonants = "bcdfghjklmnprstvwxyz";
const vowels = "aeiou";

/** Whole lines without end. Only whole numbers are computed with, so that no machine rounds differently. */
export function* corpusLines(): Generator<string, never, undefined> {
  const random = xorshift(0x2545f491);
  let line = "";
  let isStart = true;
  for (;;) {
    let word = wordOf(rankFrom(random));
    if (isStart) word = word.charAt(0).toUpperCase() + word.slice(1);
    const drawn = random() & 31;
    isStart = drawn < 2;
    const mark = isStart ? "." : drawn < 5 ? "," : "";
    if (line.length + word.length + mark.length + 1 > lineLengthMax) {
      yield `${line}\n`;
      line = "";
    }
    line += `${line === "" ? "" : " "}${word}${mark}`;
  }
}

/** A rank of which the n-th is about n times as rare as the first: a power of two is drawn first, then a rank within it. */
function rankFrom(random: () => number): number {
  for (;;) {
    const bits = random() % 18;
    const rank = (1 << bits) + (random() & ((1 << bits) - 1));
    if (rank <= wordsMax) return rank - 1;
  }
}

/** Syllables of a consonant and a vowel: the commonest words have one, the rarest three. Every 101st word ends beyond ASCII. */
function wordOf(rank: number): string {
  const syllables = consonants.length * vowels.length;
  let word = "";
  for (let rest = rank; ; rest = Math.floor(rest / syllables) - 1) {
    const syllable = (rest * 37) % syllables;
    word = `${consonants.charAt(Math.floor(syllable / vowels.length))}${vowels.charAt(syllable % vowels.length)}${word}`;
    if (rest < syllables) return rank % 101 === 100 ? `${word}é` : word;
  }
}

function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
