/** Calls of the API, with its errors as they are. */

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

const tokenKey = "outlast-token";
const listeners = new Set<() => void>();
let isTokenWanted = false;

/** Whether the master has refused a call for want of a token; changes are told to `subscribeToken`. */
export function isTokenNeeded(): boolean {
  return isTokenWanted;
}

export function subscribeToken(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Kept until the tab is closed. */
export function setToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(tokenKey);
  else sessionStorage.setItem(tokenKey, token);
  setTokenWanted(token === null);
}

function setTokenWanted(isWanted: boolean): void {
  isTokenWanted = isWanted;
  for (const listener of listeners) listener();
}

export function authorization(): { readonly [name: string]: string } {
  const token = sessionStorage.getItem(tokenKey);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

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

/** @throws ApiError for a refusal; TypeError where the master cannot be reached */
async function call<Answer>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...authorization(), ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (!response.ok) throw await refusalOf(response);
  return (await response.json()) as Answer;
}

export async function refusalOf(response: Response): Promise<ApiError> {
  const { status } = response;
  if (status === 401) setTokenWanted(true);
  const body: unknown = await response.json().catch(() => null);
  const { error } = (body ?? {}) as { error?: { code?: string; message?: string; hint?: string } };
  const message = error?.message ?? `The master answered with status ${status}.`;
  return new ApiError(status, error?.code ?? "unknown", message, error?.hint ?? null);
}
