/** The store's own thread: answers one question after the other, in the order in which they were asked. */
import { parentPort, workerData } from "node:worker_threads";
import { keepCompiledCode } from "../../threads/thread.ts";
import { SqliteStore } from "./store.ts";
import { type Answer, packError, type Question } from "./threadMessages.ts";

/** What the thread is started with. */
export interface ThreadStart {
  readonly path: string;
  /** The name of the store, should this be the process that creates it. */
  readonly incarnation: string;
}

const port = parentPort;
if (port === null) throw new Error("This is the inside of a thread.");
keepCompiledCode();
const { path, incarnation } = workerData as ThreadStart;
const store = new SqliteStore({ path, ids: { random: () => incarnation } });

port.on("message", (question: Question) => {
  void answer(question).then((answered) => {
    port.postMessage(answered);
    // Nothing is left to listen for: the thread ends by itself.
    if (question.call === "close") port.close();
  });
});

async function answer({ number, call, parameters }: Question): Promise<Answer> {
  try {
    const method = store[call] as (...parameters: readonly unknown[]) => Promise<unknown>;
    return { number, value: await method.apply(store, [...parameters]) };
  } catch (error) {
    return { number, error: packError(error) };
  }
}
