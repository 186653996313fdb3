/** A page whose code is loaded when it is opened. What is shown stays until it is there, also where the master is away for long. */
import { lazyRouteComponent } from "@tanstack/react-router";
import { onceReachable } from "../api/onceReachable.ts";

/**
 * Where the master answers and has other files by now, the router loads everything anew; without a master nothing would be left.
 * @param load must import one module, @param name of the component in it
 */
export function lazyPage<Module extends Record<string, unknown>, Name extends keyof Module>(
  load: () => Promise<Module>,
  name: Name,
) {
  return lazyRouteComponent(() => onceReachable(load), name);
}
