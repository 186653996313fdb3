/** Keeps a page while it makes or shows a secret: what comes after the sign-in could not show it again. */
import { useLayoutEffect } from "react";
import { holdSignIn } from "../api/credentials.ts";

export function useHeldSignIn(isHeld: boolean): void {
  useLayoutEffect(() => (isHeld ? holdSignIn() : undefined), [isHeld]);
}
