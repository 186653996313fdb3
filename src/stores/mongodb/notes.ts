/** What masters tell of themselves: the lease and the notes of members. Each is one document that is replaced. */
import type { Nonce } from "../../model/ids.ts";
import type { Lease } from "../../model/lease.ts";
import type { MemberRecord } from "../../model/member.ts";
import type { Connection } from "./connection.ts";
import { isDuplicateKey } from "./failure.ts";

export class MemberNotes {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async put(record: MemberRecord): Promise<void> {
    const { members } = this.#connection;
    const member = JSON.stringify(record);
    const { matchedCount } = await members.updateOne({ _id: record.nonce }, { $set: { member } });
    if (matchedCount > 0) return;
    try {
      await members.insertOne({ _id: record.nonce, member });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }

  async all(): Promise<MemberRecord[]> {
    const documents = await this.#connection.members.find({}).toArray();
    return documents.map(({ member }) => JSON.parse(member) as MemberRecord);
  }

  async remove(nonce: Nonce): Promise<void> {
    await this.#connection.members.deleteOne({ _id: nonce });
  }
}

export class LeaseNote {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async read(): Promise<Lease | null> {
    const document = await this.#connection.meta.findOne({ _id: "lease" });
    return document === null ? null : (JSON.parse(String(document["lease"])) as Lease);
  }

  /** A leader that slept and wakes must not take the hint away from its successor. */
  async write(lease: Lease): Promise<"written" | "superseded"> {
    const { meta } = this.#connection;
    const fields = { epoch: lease.epoch, lease: JSON.stringify(lease) };
    for (let tries = 0; tries < 2; tries += 1) {
      const { matchedCount } = await meta.updateOne({ _id: "lease", epoch: { $lte: lease.epoch } }, { $set: fields });
      if (matchedCount > 0) return "written";
      try {
        await meta.insertOne({ _id: "lease", ...fields });
        return "written";
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        // A higher epoch has it, or another master has just written the first one.
      }
    }
    return "superseded";
  }
}
