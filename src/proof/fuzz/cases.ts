/** All kinds of cases, how often each comes, and how any one of them is made anew from seed and number. */
import { Random } from "../simulation/random.ts";
import { makers } from "./cast.ts";
import {
  anyCall,
  type CaseTools,
  manyCalls,
  pages,
  queues,
  strangers,
  streams,
  taskLife,
  traps,
} from "./clientCases.ts";
import { chunks, compressed, garbage, halfBodies, lyingLengths, mutated, pipelines } from "./connectionCases.ts";
import { bigBodies, bigPages } from "./heavyCases.ts";
import type { ApiDocument } from "./operations.ts";
import { extremes, forgery, longLog, session } from "./protocolCases.ts";
import { RequestMaker } from "./requests.ts";
import type { Case, Step } from "./steps.ts";
import { Values } from "./values.ts";

interface Kind {
  readonly name: string;
  /** How often it comes, compared with the others. */
  readonly weight: number;
  make(random: Random, tools: CaseTools): Step[];
}

const kinds: readonly Kind[] = [
  { name: "any call", weight: 30, make: anyCall },
  { name: "many calls", weight: 10, make: manyCalls },
  { name: "traps", weight: 10, make: traps },
  { name: "task life", weight: 8, make: taskLife },
  { name: "pages", weight: 6, make: pages },
  { name: "queues", weight: 4, make: queues },
  { name: "streams", weight: 6, make: streams },
  { name: "strangers", weight: 4, make: strangers },
  { name: "session", weight: 8, make: session },
  { name: "forgery", weight: 10, make: forgery },
  { name: "extremes", weight: 3, make: extremes },
  { name: "long log", weight: 0.5, make: longLog },
  { name: "lying lengths", weight: 6, make: lyingLengths },
  { name: "chunks", weight: 5, make: chunks },
  { name: "half bodies", weight: 4, make: halfBodies },
  { name: "pipelines", weight: 3, make: pipelines },
  { name: "compressed", weight: 2, make: compressed },
  { name: "garbage", weight: 6, make: garbage },
  { name: "mutated bytes", weight: 30, make: mutated },
  { name: "big bodies", weight: 1, make: bigBodies },
  { name: "big pages", weight: 0.1, make: bigPages },
];

const weightOfAll = kinds.reduce((sum, { weight }) => sum + weight, 0);

export class CaseMaker {
  readonly #seed: number;
  readonly #requests: RequestMaker;

  constructor(document: ApiDocument, seed: number) {
    this.#seed = seed;
    this.#requests = new RequestMaker(document, new Values(document, makers));
  }

  /** The same seed and number always make the same case, whatever came before it. */
  make(number: number): Case {
    const random = new Random(`fuzz ${this.#seed}/${number}`);
    let place = random.next() * weightOfAll;
    const kind = kinds.find(({ weight }) => (place -= weight) < 0) ?? kinds[0];
    if (kind === undefined) throw new Error("There are no kinds of cases.");
    return { name: kind.name, steps: kind.make(random, { requests: this.#requests, number }) };
  }

  /** A case of single bad calls only, for when each refusal's effect on the state is looked at. */
  makeBadCall(number: number): Case {
    const random = new Random(`fuzz ${this.#seed}/bad ${number}`);
    const operations = this.#requests.document.operations.filter(({ method }) => method === "POST");
    return { name: "refusals", steps: [this.#requests.bad(random.pick(operations), random)] };
  }
}
