/** Collects refused requests for the audit record: equal ones become one record, so that guessing cannot fill the store. */
import { defaults, limits } from "../../model/limits.ts";
import type { AuditRecord } from "../../model/principals/audit.ts";
import type { Clock } from "../../ports/clock.ts";

type Refusal = Omit<AuditRecord, "at" | "outcome" | "count">;

export class Refusals {
  readonly #clock: Clock;
  readonly #write: (refusals: readonly AuditRecord[]) => void;
  readonly #waiting = new Map<string, AuditRecord>();

  constructor(clock: Clock, write: (refusals: readonly AuditRecord[]) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  note(refusal: Refusal): void {
    const key = JSON.stringify([refusal.by, refusal.action, refusal.target, refusal.address]);
    const known = this.#waiting.get(key);
    if (known === undefined && this.#waiting.size >= limits.refusalsMax) return;
    if (this.#waiting.size === 0) this.#clock.at(this.#clock.now() + defaults.refusalsMs, () => this.#flush());
    const count = (known?.count ?? 0) + 1;
    const at = known?.at ?? this.#clock.now();
    this.#waiting.set(key, { at, ...refusal, outcome: "refused", count });
  }

  #flush(): void {
    const refusals = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#write(refusals);
  }
}
