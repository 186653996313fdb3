/**
 * The shared place of simulated MapReduce jobs: files of jobs and their outputs, in memory. Each access takes a little while. Some
 * outputs are in a folder, where changes are renames; the others are objects, as in S3, where changes have conditions.
 */
import { createHash } from "node:crypto";
import { beginPromotion, OutputChanged, type OutputObjects } from "../../mapreduce/coordinator/claimedPromotion.ts";
import type { FileRef, JobFileReader, JobStore, Promotion } from "../../mapreduce/coordinator/store.ts";
import { DamagedSegment } from "../../mapreduce/engine/segment.ts";
import type { TaskId } from "../../model/ids.ts";
import { NonRetryableError } from "../../sdk/index.ts";
import { hashText } from "../checkers/hashText.ts";
import type { Ledger } from "../checkers/ledger.ts";
import type { Coverage } from "./coverage.ts";
import type { Random } from "./random.ts";

interface JobFolder {
  readonly files: Map<string, Buffer>;
  /** The attempt of the job that may change the output, where that is a folder. */
  promoting: number;
  /** Of attempts, where the output is made of objects. */
  readonly claims: Set<number>;
}

interface OutputFile {
  readonly bytes: Buffer;
  /** The file of a job that it is a copy of. */
  readonly source: string;
}

/** Who uses the folder. */
export interface DiskUser {
  readonly job: TaskId;
  /** The output folder of the job. */
  readonly folder: string;
  readonly token: string;
  /** Resolves after a while, in virtual time; never if the process of this user is dead. */
  readonly pause: (ms: number) => Promise<void>;
  readonly random: Random;
}

export class JobDisk {
  readonly ledger: Ledger;
  readonly coverage: Coverage;
  readonly #jobs = new Map<TaskId, JobFolder>();
  readonly #outputs = new Map<string, Map<string, OutputFile>>();
  readonly #harmed = new Set<TaskId>();

  constructor(ledger: Ledger, coverage: Coverage) {
    this.ledger = ledger;
    this.coverage = coverage;
  }

  storeFor(user: DiskUser): JobStore {
    return new SimulatedStore(this, user);
  }

  open(job: TaskId): void {
    if (!this.#jobs.has(job)) this.#jobs.set(job, { files: new Map(), promoting: 0, claims: new Set() });
  }

  folderOf(job: TaskId): JobFolder | null {
    return this.#jobs.get(job) ?? null;
  }

  remove(job: TaskId): void {
    if (this.#jobs.delete(job)) this.ledger.add({ kind: "job-files-removed", job });
  }

  outputOf(folder: string): Map<string, OutputFile> {
    const output = this.#outputs.get(folder) ?? new Map<string, OutputFile>();
    this.#outputs.set(folder, output);
    return output;
  }

  /** A disk error: one file of a map is gone, or a byte of it is another one. @returns false if there is none */
  spoil(random: Random): boolean {
    const files = [...this.#jobs].flatMap(([job, { files: all }]) =>
      [...all].flatMap(([name, bytes]) => (name.startsWith("map/") ? [{ job, all, name, bytes }] : [])),
    );
    if (files.length === 0) return false;
    const { job, all, name, bytes } = random.pick(files);
    if (random.chance(0.5)) all.delete(name);
    else {
      const damaged = Buffer.from(bytes);
      const at = random.integer(0, damaged.length - 1);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      all.set(name, damaged);
    }
    this.#harmed.add(job);
    this.ledger.add({ kind: "job-file-spoilt", job, file: name });
    return true;
  }

  /** True once a file of the job was spoilt. */
  isHarmed(job: TaskId): boolean {
    return this.#harmed.has(job);
  }
}

/** How many steps of a promotion take long: often enough that workers die in the middle of one. */
const slowPromotions = 0.4;
/** So often a client of S3 sends a request once more by itself. */
const repeatedRequests = 0.01;

class SimulatedStore implements JobStore {
  readonly #disk: JobDisk;
  readonly #user: DiskUser;

  constructor(disk: JobDisk, user: DiskUser) {
    this.#disk = disk;
    this.#user = user;
  }

  async open(): Promise<void> {
    await this.#access();
    this.#disk.open(this.#user.job);
  }

  create(prefix: string, suffix = ""): ReturnType<JobStore["create"]> {
    const { job, token, random } = this.#user;
    const name = `${prefix}-${random.name(8)}${suffix}`;
    const folder = this.#disk.folderOf(job);
    if (folder === null) throw new NonRetryableError("The files of the job are gone.");
    const { files } = folder;
    files.set(name, Buffer.alloc(0));
    let isOpen = true;
    return {
      write: (bytes) => void files.set(name, Buffer.concat([files.get(name) ?? Buffer.alloc(0), bytes])),
      end: () => {
        isOpen = false;
        this.#disk.ledger.add({ kind: "job-file", job, file: name, token });
        const bytes = files.get(name) ?? Buffer.alloc(0);
        return { name, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
      },
      abandon: () => {
        if (isOpen) files.delete(name);
      },
    };
  }

  async text(file: FileRef): Promise<string> {
    const bytes = await this.#open(file);
    if (createHash("sha256").update(bytes).digest("hex") !== file.sha256)
      throw new DamagedSegment(`${file.name} is not what was written`);
    return bytes.toString();
  }

  async read(file: Pick<FileRef, "name" | "size">): Promise<JobFileReader> {
    const bytes = await this.#open(file);
    return { readAt: (offset, length) => bytes.subarray(offset, offset + length), close: () => {} };
  }

  async promotion(attempt: number): Promise<Promotion> {
    await this.#access();
    const folder = this.#folder();
    const earlier = Math.max(folder.promoting, ...[...folder.claims].filter((claim) => claim < attempt));
    if (earlier > 0 && earlier < attempt)
      this.#disk.coverage.saw("a later attempt of a job promoted what an earlier one had begun to");
    return hasObjects(this.#user.folder) ? beginPromotion(this.#objects(), attempt) : this.#inFolder(folder, attempt);
  }

  #inFolder(folder: JobFolder, attempt: number): Promotion {
    if (folder.promoting > attempt) throw new Error(`Attempt ${folder.promoting} of this job promotes its output.`);
    folder.promoting = attempt;
    const output = this.#disk.outputOf(this.#user.folder);
    /** Waits, and then is the only one that may change the output for a moment. */
    const turn = async (): Promise<void> => {
      await this.#access(slowPromotions);
      if (this.#folder().promoting !== attempt) throw new Error("A later attempt of this job promotes its output.");
    };
    return {
      names: async () => {
        await turn();
        return [...output.keys()];
      },
      link: async (file, as) => {
        await turn();
        const there = output.get(as);
        if (there !== undefined) return there.source === this.#sourceOf(file);
        this.#put(file, as);
        return true;
      },
      replace: async (file, as) => {
        await turn();
        this.#put(file, as);
      },
      retract: async (name) => {
        await turn();
        if (output.delete(name)) this.#note(name, null);
      },
    };
  }

  /** Requests travel, have their effect at one instant, and their answers travel back; either may take long, or be lost with who asked. */
  #objects(): OutputObjects {
    const { job, folder } = this.#user;
    const output = this.#disk.outputOf(folder);
    const request = async <Result>(effect: () => Result): Promise<Result> => {
      await this.#access(slowPromotions / 2);
      let result = effect();
      // The client has lost the answer and asks again: what it then finds is its own doing.
      if (this.#user.random.chance(repeatedRequests)) result = effect();
      await this.#access(slowPromotions / 2);
      return result;
    };
    const expect = (name: string, etag: string | null): void => {
      const there = output.get(name);
      if ((there === undefined ? null : etagOf(name, there)) === etag) return;
      this.#disk.coverage.saw("a change of an output in S3 found something else than it had seen");
      throw new OutputChanged(name);
    };
    return {
      ownSources: `${job}/`,
      sourceOf: (file) => this.#sourceOf(file),
      find: (name) =>
        request(() => {
          const there = output.get(name);
          return there === undefined ? null : { etag: etagOf(name, there), source: there.source };
        }),
      names: () => request(() => [...output.keys()]),
      copy: (file, as, etag) =>
        request(() => {
          expect(as, etag);
          this.#put(file, as);
        }),
      remove: (name, etag) =>
        request(() => {
          expect(name, etag);
          if (output.delete(name)) this.#note(name, null);
        }),
      claim: (attempt) => request(() => void this.#disk.folderOf(job)?.claims.add(attempt)),
      unclaim: () => request(() => undefined),
      claims: () =>
        request(() => {
          const claims = this.#disk.folderOf(job)?.claims;
          return claims === undefined ? null : [...claims];
        }),
    };
  }

  #put(file: FileRef, as: string): void {
    const bytes = this.#folder().files.get(file.name);
    if (bytes === undefined) throw new Error(`${file.name} is gone`);
    this.#disk.outputOf(this.#user.folder).set(as, { bytes, source: this.#sourceOf(file) });
    this.#note(as, { name: file.name, text: bytes.toString() });
  }

  #sourceOf({ name }: FileRef): string {
    return `${this.#user.job}/${name}`;
  }

  async remove(): Promise<void> {
    await this.#access();
    this.#disk.remove(this.#user.job);
  }

  async #open({ name, size }: Pick<FileRef, "name" | "size">): Promise<Buffer> {
    await this.#access();
    const { job, token } = this.#user;
    this.#disk.ledger.add({ kind: "job-file-read", job, file: name, token });
    const bytes = this.#disk.folderOf(job)?.files.get(name);
    if (bytes === undefined) throw new DamagedSegment(`${name} is gone`);
    if (bytes.length !== size) throw new DamagedSegment(`${name} has ${bytes.length} bytes instead of ${size}`);
    return bytes;
  }

  #note(name: string, file: { readonly name: string; readonly text: string } | null): void {
    const { job, folder } = this.#user;
    this.#disk.ledger.add({ kind: "job-output", job, folder, name, file });
  }

  #folder(): JobFolder {
    const folder = this.#disk.folderOf(this.#user.job);
    if (folder === null) throw new Error("The files of the job are gone.");
    return folder;
  }

  /** Mostly quick; now and then the disk takes its time. */
  async #access(slow = 0.05): Promise<void> {
    const { pause, random } = this.#user;
    await pause(random.chance(slow) ? random.spread(10, 5_000) : random.integer(0, 3));
  }
}

/** Half of all outputs. Jobs that share one must see it alike. */
function hasObjects(folder: string): boolean {
  return hashText(folder) % 2 === 0;
}

/** Of the content, as in S3. Of parts with its source: that two jobs make the same part is what no condition can see. */
function etagOf(name: string, { bytes, source }: OutputFile): string {
  const text = name.startsWith("part-") ? `${source} ` : "";
  return createHash("sha256").update(text).update(bytes).digest("hex");
}
