/** The jobs of a service as runs, by the calls that its operator has described. */
import { isObject } from "../../model/kinds/kind.ts";
import { defaults } from "../../model/limits.ts";
import {
  type Backend,
  type Cancellation,
  type RunHandle,
  type RunOrder,
  RunRefused,
  type RunState,
} from "../../ports/backend.ts";
import { readHandle, readList, readState } from "./answers.ts";
import { BadStatus, Caller, type CallerOptions } from "./caller.ts";
import type { RemoteService } from "./service.ts";

/** A service that answers so does not have the run. */
const goneStatuses: readonly number[] = [404, 410];
/** A service that answers so to a start may take the same later. */
const passingStatuses: readonly number[] = [401, 403, 408, 409, 423, 425, 429];

export class RemoteBackend implements Backend {
  readonly #service: RemoteService;
  readonly #caller: Caller;

  constructor(service: RemoteService, options: Omit<CallerOptions, "timeoutMs">) {
    this.#service = service;
    this.#caller = new Caller({ ...options, timeoutMs: service.timeoutMs ?? defaults.remoteCallTimeoutMs });
  }

  get pollMs(): number {
    return this.#service.pollMs ?? defaults.remotePollMs;
  }

  /** Is not broken off: whether it has started something would not be known. */
  async start({ key, task, attempt, input }: RunOrder): Promise<RunHandle> {
    const { start } = this.#service;
    const job = (isObject(input) ? input["job"] : undefined) ?? null;
    // A service that can tell need not be able to take a repeated start for what it is.
    const known = (await this.list())?.find((handle) => handle.key === key);
    if (known !== undefined) return known;
    try {
      const { body } = await this.#caller.call(start, { key, task, attempt, job }, JSON.stringify(job));
      return { key, id: readHandle(body, start.handle) };
    } catch (error) {
      if (
        error instanceof BadStatus &&
        error.status >= 400 &&
        error.status < 500 &&
        !passingStatuses.includes(error.status)
      )
        throw new RunRefused("refused", error.message, true);
      throw error;
    }
  }

  async inspect(handle: RunHandle): Promise<RunState> {
    const { status } = this.#service;
    try {
      const { body } = await this.#caller.call(status, valuesOf(handle));
      return readState(body, status);
    } catch (error) {
      if (isGone(error)) return { kind: "gone" };
      return { kind: "unknown", message: error instanceof Error ? error.message : String(error) };
    }
  }

  async stop(handle: RunHandle, graceMs: number): Promise<void> {
    const values = { ...valuesOf(handle), graceSeconds: Math.ceil(graceMs / 1000) };
    await this.#callUnlessGone("stop", values);
  }

  async *logs(handle: RunHandle, offset: number, stop: Cancellation): AsyncGenerator<Uint8Array, void, undefined> {
    const { logs } = this.#service;
    if (logs === undefined || stop.aborted) return;
    const { body } = await this.#caller.call(logs, { ...valuesOf(handle), offset });
    const bytes = logs.isWhole === true ? body.subarray(offset) : body;
    if (bytes.length > 0) yield bytes;
  }

  async list(): Promise<readonly RunHandle[] | null> {
    const { list } = this.#service;
    if (list === undefined) return null;
    const { body } = await this.#caller.call(list, {});
    return readList(body);
  }

  async forget(handle: RunHandle): Promise<void> {
    if (this.#service.forget !== undefined) await this.#callUnlessGone("forget", valuesOf(handle));
  }

  async #callUnlessGone(name: "stop" | "forget", values: { readonly [name: string]: string | number }): Promise<void> {
    const call = this.#service[name];
    if (call === undefined) return;
    try {
      await this.#caller.call(call, values);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

function valuesOf({ key, id }: RunHandle): { readonly key: string; readonly handle: string } {
  return { key, handle: id };
}

function isGone(error: unknown): boolean {
  return error instanceof BadStatus && goneStatuses.includes(error.status);
}
