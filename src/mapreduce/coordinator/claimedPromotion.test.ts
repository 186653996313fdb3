/**
 * Two attempts of one job promote, and then another job, with requests that overtake each other in every way that a seed makes up: the
 * output is that of the last job, whole.
 */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { hashText } from "../../proof/checkers/hashText.ts";
import { beginPromotion, OutputChanged, type OutputObjects } from "./claimedPromotion.ts";
import { promote } from "./promote.ts";
import type { PartManifest } from "./settings.ts";
import { type JobStore, writeText } from "./store.ts";

const runs = 3000;

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

/** One output, and the jobs that write to it. */
class World {
  readonly output = new Map<string, { readonly text: string; readonly source: string | null }>();
  readonly faults: string[] = [];
  readonly #jobs = new Map<string, { readonly claims: Set<number>; isOver: boolean }>();
  readonly #files = new Map<string, string>();
  readonly #waiting: { readonly isLate: boolean; readonly go: () => void }[] = [];
  readonly #seed: number;
  #turns = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  open(job: string): void {
    this.#jobs.set(job, { claims: new Set(), isOver: false });
  }

  end(job: string): void {
    const found = this.#jobs.get(job);
    if (found !== undefined) found.isOver = true;
  }

  /** Whoever waits for a turn gets one some time; who is late gets none for a stretch of time that the seed makes up. */
  turn(isLate = false): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ isLate, go: resolve }));
  }

  async runUntil(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      this.#turns += 1;
      const stretch = hashText(`from ${this.#seed}`) % 120;
      const isHeld = this.#turns > stretch && this.#turns < stretch + (hashText(`held ${this.#seed}`) % 120);
      const free = this.#waiting.filter(({ isLate }) => !(isLate && isHeld));
      const among = free.length > 0 ? free : this.#waiting;
      const picked = among[hashText(`${this.#seed} ${this.#turns}`) % Math.max(1, among.length)];
      if (picked !== undefined) this.#waiting.splice(this.#waiting.indexOf(picked), 1);
      picked?.go();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Whoever sees the end mark of a job sees its manifest and its parts, also between two attempts of it. */
  #checkEndMark(): void {
    const mark = this.output.get("_SUCCESS");
    // What comes of the last request of a job when the next one begins, no condition can rule out.
    if (this.#jobs.size > 1 || mark === undefined || mark.source === null) return;
    const manifest = JSON.parse(this.output.get("_manifest.json")?.text ?? "{}") as {
      parts?: { name: string; sha256: string }[];
    };
    const isWhole = manifest.parts?.every(({ name, sha256 }) => hash(this.output.get(name)?.text ?? "") === sha256);
    if (isWhole !== true) this.faults.push(`seed ${this.#seed}: the end mark stands over what is not whole`);
  }

  storeOf(job: string, isLate = false): JobStore {
    const parts: Partial<JobStore> = {
      create: (prefix) => {
        let text = "";
        return {
          write: (bytes) => {
            text += Buffer.from(bytes).toString();
          },
          end: () => {
            const name = `${prefix}-${this.#files.size}`;
            this.#files.set(`${job}/${name}`, text);
            return { name, size: text.length, sha256: hash(text) };
          },
          abandon: () => undefined,
        };
      },
      promotion: (attempt) => beginPromotion(this.#objectsOf(job, isLate), attempt),
    };
    return parts as JobStore;
  }

  #objectsOf(job: string, isLate: boolean): OutputObjects {
    const { output } = this;
    /** The request travels, is carried out, and its answer travels. */
    const request = async <Result>(effect: () => Result): Promise<Result> => {
      await this.turn(isLate);
      try {
        const result = effect();
        this.#checkEndMark();
        return result;
      } finally {
        await this.turn(isLate);
      }
    };
    const etagOf = (name: string) => {
      const found = output.get(name);
      return found === undefined ? null : hash(found.text);
    };
    const expectEtag = (name: string, etag: string | null) => {
      if (etagOf(name) !== etag) throw new OutputChanged(name);
    };
    const sourceOf = ({ name }: { readonly name: string }) => `${job}/${name}`;
    return {
      ownSources: `${job}/`,
      sourceOf,
      find: (name) =>
        request(() => {
          const etag = etagOf(name);
          return etag === null ? null : { etag, source: output.get(name)?.source ?? null };
        }),
      names: () => request(() => [...output.keys()]),
      copy: (file, as, etag) =>
        request(() => {
          expectEtag(as, etag);
          output.set(as, { text: this.#files.get(sourceOf(file)) ?? "gone", source: sourceOf(file) });
        }),
      remove: (name, etag) =>
        request(() => {
          if (etagOf(name) === null) return;
          expectEtag(name, etag);
          output.delete(name);
        }),
      claim: (attempt) => request(() => void this.#jobs.get(job)?.claims.add(attempt)),
      unclaim: (attempt) => request(() => void this.#jobs.get(job)?.claims.delete(attempt)),
      claims: () =>
        request(() => {
          const found = this.#jobs.get(job);
          return found === undefined || found.isOver ? null : [...found.claims];
        }),
    };
  }
}

async function partsOf(store: JobStore, texts: readonly string[]): Promise<PartManifest[]> {
  const files = await Promise.all(texts.map((text, index) => writeText(store, `reduce/${index}`, text)));
  return files.map((file, partition) => ({ partition, records: 1, keys: 1, shuffledBytes: 0, counters: {}, ...file }));
}

async function run(seed: number): Promise<{ readonly world: World; readonly first: string }> {
  const world = new World(seed);
  // Of a job of an earlier version, whose end mark is empty.
  for (const name of ["part-00000.tsv", "part-00001.tsv", "_manifest.json", "_SUCCESS"]) {
    world.output.set(name, { text: name === "_SUCCESS" ? "" : `${name} of before`, source: null });
  }
  const planOf = (attempt: number, parts: readonly PartManifest[], job: string) =>
    ({ attempt, format: "tsv", overwrite: true, parts, summary: { job, attempt } }) as const;
  const work = async (): Promise<string> => {
    world.open("one");
    const one = world.storeOf("one");
    const parts = await partsOf(one, ["first of one"]);
    const earlier = promote(world.storeOf("one", true), planOf(1, parts, "one")).then(
      () => "done",
      (error: unknown) => String(error),
    );
    for (let wait = seed % 50; wait > 0; wait -= 1) await world.turn();
    await promote(one, planOf(2, parts, "one"));
    if (seed % 2 === 0) return earlier;
    world.end("one");
    world.open("two");
    const two = world.storeOf("two");
    await promote(two, planOf(1, await partsOf(two, ["first of two", "second of two"]), "two"));
    return earlier;
  };
  let first: string | null = null;
  let failure: unknown = null;
  let isDone = false;
  work().then(
    (end) => {
      first = end;
      isDone = true;
    },
    (error: unknown) => {
      failure = error;
      isDone = true;
    },
  );
  await world.runUntil(() => isDone);
  expect(failure).toBeNull();
  return { world, first: first ?? "" };
}

test("however late an attempt is, the output is that of the last job, and its end mark stands", async () => {
  const ends = new Set<string>();
  for (let seed = 1; seed <= runs; seed += 1) {
    const { world, first } = await run(seed);
    ends.add(first);
    expect(world.faults).toEqual([]);
    const last = seed % 2 === 0 ? "one" : "two";
    const texts = Object.fromEntries([...world.output].map(([name, { text }]) => [name, text]));
    const manifest = texts["_manifest.json"] ?? "";
    const parts = last === "one" ? ["first of one"] : ["first of two", "second of two"];
    expect({ seed, texts }).toEqual({
      seed,
      texts: {
        "_manifest.json": expect.stringContaining(`"job": "${last}"`) as string,
        _SUCCESS: `${hash(manifest)}\n`,
        ...Object.fromEntries(parts.map((text, index) => [`part-0000${index}.tsv`, text])),
      },
    });
  }
  // The earlier attempt came through, was too late, and found that the job was over.
  expect([...ends].sort()).toEqual([
    "Error: Attempt 2 of this job promotes its output.",
    "Error: The files of this job are gone: it is over.",
    "done",
  ]);
});
