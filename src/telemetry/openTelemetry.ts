/** Sends spans to an OpenTelemetry collector, as JSON over HTTP. Loaded only by processes that were told where one is. */
import { type Context, ROOT_CONTEXT, type SpanContext, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { defaults } from "../model/limits.ts";
import type { OpenSpan, SpanAbout, Tracing } from "../ports/tracing.ts";

const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL } as const;

export interface TelemetryOptions {
  /** The base URL of the collector; `/v1/traces` is added. */
  readonly endpoint: string;
  /** `outlast-master` or `outlast-worker`, unless OTEL_SERVICE_NAME says otherwise. */
  readonly service: string;
  /** Tells one process from another of the same service. */
  readonly instance: string;
  readonly version: string;
}

/** Other settings, such as headers for the collector, come from the standard variables (OTEL_EXPORTER_OTLP_HEADERS …). */
export function createTracing({ endpoint, service, instance, version }: TelemetryOptions): Tracing {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, "")}/v1/traces`,
    timeoutMillis: defaults.telemetryWaitMs,
  });
  const provider = new TracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({
        "service.name": process.env["OTEL_SERVICE_NAME"] ?? service,
        "service.instance.id": instance,
        "service.version": version,
      }),
    ),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        scheduledDelayMillis: defaults.telemetrySendMs,
        exportTimeoutMillis: defaults.telemetryWaitMs,
      }),
    ],
  });
  const tracer = provider.getTracer("outlast", version);
  return {
    begin(name: string, parent: string | null, { kind, attributes = {}, startAt }: SpanAbout): OpenSpan {
      const options = {
        kind: kinds[kind],
        attributes: { ...attributes },
        ...(startAt !== undefined && { startTime: startAt }),
      };
      const span = tracer.startSpan(name, options, contextOf(parent));
      return {
        traceparent: toTraceparent(span.spanContext()),
        end(problem) {
          if (problem !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: problem });
          span.end();
        },
      };
    },
    stop: () => provider.shutdown(),
  };
}

function contextOf(parent: string | null): Context {
  const [, traceId, spanId, flags] = parent?.split("-") ?? [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags ?? "01", 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function toTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}
