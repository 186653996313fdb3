/** Loads code from the master, and waits for it where it cannot be reached. */

const retryMs = 1_000;

/** @throws what `load` throws where the master answers: it may be of another version by now */
export async function onceReachable<Module>(load: () => Promise<Module>): Promise<Module> {
  for (;;) {
    try {
      return await load();
    } catch (error) {
      if (await isMasterThere()) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

function isMasterThere(): Promise<boolean> {
  return fetch("/healthz", { cache: "no-store" }).then(
    ({ ok }) => ok,
    () => false,
  );
}
