/** Keeps the logs of all containers, also of pods that are gone: the kubelet removes its own files together with a pod. */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type LedgerFact, readLedger } from "../../src/proof/cluster/attemptLines.ts";

/** A pod is there for longer than this after its last line. */
const lookMs = 100;

export class PodLogs {
  readonly #from: string;
  readonly #to: string;
  readonly #timer: NodeJS.Timeout;

  /** @param from the kubelet's folder @param to where the logs are kept */
  constructor(from: string, to: string) {
    this.#from = from;
    this.#to = to;
    mkdirSync(to, { recursive: true });
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  /** All that containers of this name have written. */
  textOf(container: string): string {
    return readdirSync(this.#to)
      .filter((name) => name.includes(`_${container}_`))
      .map((name) => withoutPrefixes(readFileSync(join(this.#to, name), "utf8")))
      .join("");
  }

  /** What the workers wrote down of the attempts that they ran. */
  ledger(): LedgerFact[] {
    return readdirSync(this.#to)
      .filter((name) => name.includes("_worker_"))
      .flatMap((name) => {
        const [pod = "", , life = "0"] = name.replace(/\.log$/, "").split("_");
        return readLedger(withoutPrefixes(readFileSync(join(this.#to, name), "utf8")), pod, Number(life) + 1);
      });
  }

  /** Links what is new: a second name of the same file, which stays when the first one is removed. */
  #look(): void {
    for (const pod of entries(this.#from)) {
      const [, name = ""] = pod.split("_");
      for (const container of entries(join(this.#from, pod))) {
        for (const file of entries(join(this.#from, pod, container))) {
          if (!/^\d+\.log$/.test(file)) continue;
          const target = join(this.#to, `${name}_${container}_${file}`);
          if (existsSync(target)) continue;
          try {
            linkSync(join(this.#from, pod, container, file), target);
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
          }
        }
      }
    }
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Each line stands behind its time, its stream and a flag: `2026-11-26T20:00:00.1Z stderr F {…}`; P says that the line goes on. */
function withoutPrefixes(text: string): string {
  return text
    .split("\n")
    .map((line) => {
      const [, flag, rest] = /^\S+ \S+ ([FP]) (.*)$/.exec(line) ?? [];
      return flag === "P" ? (rest ?? "") : `${rest ?? ""}\n`;
    })
    .join("");
}
