/** A place for what does not fit into memory. It goes with the attempt. */
export interface Scratch {
  readonly length: number;
  append(bytes: Uint8Array): void;
  read(offset: number, length: number): Buffer;
}
