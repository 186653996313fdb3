/** Calls of the API, with its errors as they are. */
import { credentialHeaders, setSignInNeeded } from "./credentials.ts";

/** What the API says went wrong, and what to do about it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;

  constructor(status: number, code: string, message: string, hint: string | null) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

export type Query = { readonly [name: string]: string | number | boolean | null | undefined };

export function urlOf(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** A segment of a path that comes from outside. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

export function get<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
  return call<Answer>("GET", urlOf(path, query), undefined, signal);
}

export function post<Answer>(path: string, body?: unknown): Promise<Answer> {
  return call<Answer>("POST", path, body);
}

export function put<Answer>(path: string, body: unknown): Promise<Answer> {
  return call<Answer>("PUT", path, body);
}

export function remove<Answer>(path: string): Promise<Answer> {
  return call<Answer>("DELETE", path);
}

/** @throws ApiError for a refusal; TypeError where the master cannot be reached */
async function call<Answer>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...credentialHeaders(method !== "GET"),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  // A password that is wrong says nothing about the session.
  const isAboutPassword = url.startsWith("/v1/session") && method !== "GET";
  if (!response.ok) throw await refusalOf(response, isAboutPassword);
  return (await response.json()) as Answer;
}

export async function refusalOf(response: Response, isAboutPassword = false): Promise<ApiError> {
  const { status } = response;
  if (status === 401 && !isAboutPassword) setSignInNeeded(true);
  const body: unknown = await response.json().catch(() => null);
  const { error } = (body ?? {}) as { error?: { code?: string; message?: string; hint?: string } };
  const message = error?.message ?? `The master answered with status ${status}.`;
  return new ApiError(status, error?.code ?? "unknown", message, error?.hint ?? null);
}
