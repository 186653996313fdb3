/** What a part of the page has begun ends with it, however somebody leaves. */
import { useEffect, useRef } from "react";

/** @returns a controller whose signal is aborted once the part that asks for it is gone */
export function useUntilGone(): { readonly current: AbortController } {
  const controller = useRef(new AbortController());
  useEffect(() => {
    const mine = new AbortController();
    controller.current = mine;
    return () => mine.abort();
  }, []);
  return controller;
}
