/** What a master offers for files: blobs by their content, and objects by names that their writers choose. A part of `MasterApi`. */
import type { ByteRange, ListedObject, ObjectContent, StoredObject } from "../../ports/blobs.ts";

export interface KeptBlob extends StoredObject {
  /** False if there was a blob of this content. */
  readonly isNew: boolean;
}

export interface BlobApi {
  /** True if every master reaches the same files, so that a standby need not ask the leader for one. */
  readonly isShared: boolean;
  /**
   * Stores content, leased for `defaults.blobLeaseMs`: until then, and as long as something refers to it, it is kept.
   * @throws OutlastError `too-large`, `storage-full`, `unavailable`
   */
  put(content: AsyncIterable<Uint8Array>): Promise<KeptBlob>;
  /** @throws OutlastError `not-found` */
  stat(sha256: string): Promise<{ readonly size: number }>;
  /** @throws OutlastError `not-found` */
  read(sha256: string, range?: ByteRange): Promise<ObjectContent>;
  /** Ends the lease. @throws OutlastError `not-found` */
  release(sha256: string): Promise<void>;

  /**
   * Stores an object under a name that is used once. Nothing collects objects but `deleteObjects`: who writes them removes them.
   * @throws OutlastError `conflict` if the name is taken
   */
  putObject(name: string, content: AsyncIterable<Uint8Array>): Promise<StoredObject>;
  /** @throws OutlastError `not-found` */
  statObject(name: string): Promise<{ readonly size: number }>;
  /** @throws OutlastError `not-found` */
  readObject(name: string, range?: ByteRange): Promise<ObjectContent>;
  deleteObject(name: string): Promise<void>;
  /** Removes all objects whose names begin with `<folder>/`. */
  deleteObjects(folder: string): Promise<void>;
  /** The names are given without the folder that they are kept in. */
  listObjects(folder: string): AsyncIterable<ListedObject>;
}
