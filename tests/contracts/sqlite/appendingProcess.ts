/**
 * A process that appends to a store until it is killed or the store is unavailable, and says what was acknowledged.
 *
 * `node appendingProcess.ts <file> <nonce> <bytes per entry> <last seq>` waits for a line on stdin, opens the store and prints a line of JSON for
 * each thing that happens: `{ opened }`, `{ committed, crc }`, `{ taken }`, `{ unavailable, seq }`.
 */
import { once } from "node:events";
import { writeSync } from "node:fs";
import type { OutgoingEntry } from "../../../src/model/entry.ts";
import { StoreUnavailable } from "../../../src/ports/store.ts";
import { created, TestJournal } from "../../../src/proof/contracts/storeJournal.ts";
import { SqliteStore } from "../../../src/stores/sqlite/store.ts";

const [path = "", nonce = "", bytes = "0", lastSeq = "0"] = process.argv.slice(2);
const store = new SqliteStore({ path, ids: { random: () => `incarnation-by-${nonce}` } });

await once(process.stdin, "data");
process.stdin.destroy();
tell({ opened: (await store.open()).incarnation });

while (true) {
  const tail = await store.readTail();
  if (tail !== null && tail.seq >= Number(lastSeq)) break;
  const { seq } = tail ?? { seq: 0 };
  const input = { seconds: 1, padding: "x".repeat(Number(bytes)) };
  const entry = new TestJournal(tail, nonce).next(...created(`${nonce}-${seq + 1}`, { input }));
  if (!(await settle(entry))) break;
}
await store.close();

/** False once the store is unavailable for another reason than a neighbour at work. */
async function settle(entry: OutgoingEntry): Promise<boolean> {
  while (true) {
    try {
      const answer = await store.append(entry);
      if (answer === "committed") tell({ committed: entry.seq, crc: entry.crc });
      else tell({ taken: entry.seq });
      return true;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      if (error.reason === "busy") continue;
      tell({ unavailable: error.reason, seq: entry.seq });
      return false;
    }
  }
}

/** Out of this process before anything else is done, so that a SIGKILL cannot take back what was said. */
function tell(what: { readonly [name: string]: string | number }): void {
  writeSync(1, `${JSON.stringify(what)}\n`);
}
