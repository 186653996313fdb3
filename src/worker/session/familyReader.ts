/** Reads what a task remembers from whichever master leads, for as long as that takes or until the attempt is over. */
import type { ChildrenPage, StepsPage } from "../../model/family.ts";
import type { SessionId, WorkerId } from "../../model/ids.ts";
import type { AttemptRef } from "../../model/protocol.ts";
import type { Clock } from "../../ports/clock.ts";
import { LinkError, type MasterLink } from "../../ports/transport.ts";
import { AttemptOver } from "../../ports/work.ts";

export interface FamilyReaderParts {
  readonly worker: WorkerId;
  readonly clock: Clock;
  readonly waits: { readonly retryBaseMs: number; readonly retryMaxMs: number };
  /** The present session; null while there is none. */
  session(): { readonly link: MasterLink; readonly id: SessionId } | null;
}

/** A leader that answers so will not answer otherwise. */
const finalCodes: readonly string[] = ["conflict", "invalid", "bad-request", "not-found"];

export class FamilyReader {
  readonly #parts: FamilyReaderParts;

  constructor(parts: FamilyReaderParts) {
    this.#parts = parts;
  }

  readSteps({ task, attempt }: AttemptRef, isOver: () => boolean, after: string | null): Promise<StepsPage> {
    const { worker } = this.#parts;
    return this.#ask(isOver, (link, session) => link.readSteps(worker, { session, task, attempt, after }));
  }

  readChildren({ task, attempt }: AttemptRef, isOver: () => boolean, key: string, from: number): Promise<ChildrenPage> {
    const { worker } = this.#parts;
    return this.#ask(isOver, (link, session) => link.readChildren(worker, { session, task, attempt, key, from }));
  }

  async #ask<Page>(isOver: () => boolean, ask: (link: MasterLink, session: SessionId) => Promise<Page>): Promise<Page> {
    const { clock, waits } = this.#parts;
    for (let tries = 0; ; tries += 1) {
      if (isOver()) throw new AttemptOver("The attempt has ended.");
      const session = this.#parts.session();
      if (session !== null) {
        try {
          return await ask(session.link, session.id);
        } catch (error) {
          if (!(error instanceof LinkError)) throw error;
          if (finalCodes.includes(error.code)) throw new AttemptOver(error.message);
        }
      }
      const waitMs = Math.min(waits.retryMaxMs, waits.retryBaseMs * 2 ** Math.min(tries, 30));
      await new Promise<void>((resolve) => clock.at(clock.now() + waitMs, resolve));
    }
  }
}
