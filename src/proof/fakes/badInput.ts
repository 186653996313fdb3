/** Bad inputs as data: what is sent, how it must be refused, and the proof that it changed nothing. */
import { expect } from "vitest";
import { type ErrorCode, errorStatus } from "../../model/errors.ts";
import type { FakeMasterApi } from "./fakeMasterApi.ts";

export interface BadInput {
  readonly what: string;
  readonly send: Sent;
  readonly code: ErrorCode;
  readonly path?: string;
  readonly limit?: string;
  readonly hint?: string;
}

export interface Sent {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly payload?: string | Buffer;
}

interface Received {
  readonly statusCode: number;
  readonly headers: { readonly [name: string]: unknown };
  readonly body: string;
}

export const localHost = "127.0.0.1:7070";

export function post(url: string, payload: unknown, headers: Record<string, string> = {}): Sent {
  return {
    method: "POST",
    url,
    headers: { host: localHost, "content-type": "application/json", ...headers },
    payload: typeof payload === "string" || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
  };
}

export function get(url: string, headers: Record<string, string> = {}): Sent {
  return { method: "GET", url, headers: { host: localHost, ...headers } };
}

/** @param deliver hands the input to the API whose master is `master` */
export async function expectRefused(
  input: BadInput,
  master: FakeMasterApi,
  deliver: (send: Sent) => Promise<Received>,
): Promise<void> {
  const { code, path, limit, hint } = input;
  const before = JSON.stringify([...master.tasks.values()]);
  const callsBefore = master.calls.length;
  const response = await deliver(input.send);
  const { error } = JSON.parse(response.body) as { error: { readonly message: string } };
  expect(error.message).toMatch(/^[A-Z"].*\.$/);
  expect(error).toMatchObject({
    code,
    ...(path === undefined ? {} : { path }),
    ...(limit === undefined ? {} : { limit }),
    ...(hint === undefined ? {} : { hint }),
  });
  expect(response.statusCode).toBe(errorStatus[code]);
  expect(response.headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(response.headers["x-outlast-epoch"]).toBe("3");
  expect(response.body.length).toBeLessThan(2000);
  // No stack trace.
  expect(response.body).not.toMatch(/\bat \S+:\d+/);
  // What only the master can judge has reached it, as a submission that it has refused; nothing else has.
  expect(master.calls.slice(callsBefore).filter((call) => call.name !== "submit")).toEqual([]);
  expect(JSON.stringify([...master.tasks.values()])).toBe(before);
}
