/** Whether there is little room. */
import { useSyncExternalStore } from "react";

const query = matchMedia("(max-width: 767px)");

function subscribe(listener: () => void): () => void {
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}

export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => query.matches);
}
