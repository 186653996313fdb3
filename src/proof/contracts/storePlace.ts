/** What a test of a store is given: a place with stored data, an open store on it, and a journal that writes to it. */
import type { Store } from "../../ports/store.ts";
import type { TestJournal } from "./storeJournal.ts";

/** One place with stored data, for one test. */
export interface StorePlace {
  /** A handle that is not open yet. Each looks at the same data, as two masters would. */
  handle(): Store;
  remove(): Promise<void>;
}

export type Current = () => { readonly place: StorePlace; readonly store: Store; readonly journal: TestJournal };
