/** Opens the way to a collector of traces, for a process that was told where one is; others load nothing for it. */
import type { Tracing } from "../ports/tracing.ts";
import { readVersion } from "./version.ts";

export async function openTracing(
  endpoint: string | undefined,
  service: string,
  instance: string,
): Promise<Tracing | null> {
  if (endpoint === undefined) return null;
  const { createTracing } = await import("../telemetry/openTelemetry.ts");
  return createTracing({ endpoint, service, instance, version: readVersion() });
}
