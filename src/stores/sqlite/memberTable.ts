/** The notes that masters leave of themselves: a row each, replaced as they renew it. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Nonce } from "../../model/ids.ts";
import type { MemberRecord } from "../../model/member.ts";

export class MemberTable {
  readonly #put: StatementSync;
  readonly #all: StatementSync;
  readonly #remove: StatementSync;

  constructor(database: DatabaseSync) {
    this.#put = database.prepare("INSERT OR REPLACE INTO members (nonce, member) VALUES (?, ?)");
    this.#all = database.prepare("SELECT member FROM members ORDER BY nonce");
    this.#remove = database.prepare("DELETE FROM members WHERE nonce = ?");
  }

  put(member: MemberRecord): void {
    this.#put.run(member.nonce, JSON.stringify(member));
  }

  all(): MemberRecord[] {
    return this.#all.all().map((row) => JSON.parse(String(row["member"])) as MemberRecord);
  }

  remove(nonce: Nonce): void {
    this.#remove.run(nonce);
  }
}
