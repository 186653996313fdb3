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

/** A change whose answer never came: nobody has tried it again, and the master may have done it. */
export class Unanswered extends Error {}

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

/** A question that is too long for an address: it changes nothing, and may be asked again. */
export async function ask<Answer>(path: string, body: unknown): Promise<Answer> {
  try {
    return await post<Answer>(path, body);
  } catch (error) {
    throw error instanceof Unanswered ? error.cause : error;
  }
}

export function put<Answer>(path: string, body: unknown): Promise<Answer> {
  return call<Answer>("PUT", path, body);
}

export function remove<Answer>(path: string): Promise<Answer> {
  return call<Answer>("DELETE", path);
}

/** @throws ApiError for a refusal; where the master cannot be reached, Unanswered for a change and TypeError for a read */
async function call<Answer>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
  const isChange = method !== "GET";
  const response = await fetch(url, {
    method,
    headers: {
      ...credentialHeaders(isChange),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    throw isChange ? new Unanswered("The master cannot be reached.", { cause: error }) : error;
  });
  // A password that is wrong says nothing about the session.
  const isAboutPassword = url.startsWith("/v1/session") && isChange;
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
