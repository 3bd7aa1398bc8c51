import type { InputFile } from "../contract/plan.ts";

/** A file or object as the store lists it. */
export interface StoredFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Changes whenever the content may have changed. */
  readonly version: string;
}

/** An open file or object, pinned to the version that it had when it was opened. */
export interface OpenFile {
  readonly size: number;
  readonly version: string;
  /** Exactly `length` bytes from `start`, into `into` when it is given (its first `length` bytes). */
  read(start: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  /** The same, at once: for the few dozen bytes of a page header. Fewer bytes at the end of the file. */
  peek(start: number, length: number): Uint8Array;
  close(): Promise<void>;
}

/** What was written, as the store has it: size in bytes, CRC32C as 8 hexadecimal digits. */
export interface Written {
  readonly size: number;
  readonly crc32c: string;
}

/** An output on its way: bytes in order, under a name that nobody takes for the result. */
export interface Stage {
  /** Where the next byte goes. */
  readonly position: number;
  /**
   * Appends; `bytes` may be reused once the promise resolves. Calls may overlap, order is that of the calls. `crc32c` is
   * that of `bytes` where the caller knows it.
   */
  write(bytes: Uint8Array, crc32c?: number): Promise<void>;
  /** All bytes are durable. */
  finish(): Promise<Written>;
  /** The staged bytes, to verify them; after `finish`. */
  open(): Promise<OpenFile>;
  /** Gives the staged bytes their final name, at once. Without `replace` an existing file stays and this is a Failure. */
  publish(replace: boolean): Promise<void>;
  /** Removes what was staged; harmless after `publish`. */
  discard(): Promise<void>;
}

/** Where checkpoints lie and training files go. */
export interface Store {
  join(folder: string, ...names: readonly string[]): string;
  /** Files directly in a folder, by name; undefined when there is no such folder. */
  list(folder: string): Promise<readonly StoredFile[] | undefined>;
  stat(path: string): Promise<StoredFile | undefined>;
  /** @throws Failure when the file is not the version that the inventory saw. */
  open(file: Pick<InputFile, "path" | "version">): Promise<OpenFile>;
  readText(path: string): Promise<string | undefined>;
  /** Writes a small document whole: readers see the old one or the new one. */
  writeText(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** An output that will be published at `path`; makes its folder. */
  stage(path: string): Promise<Stage>;
  /** Removes what dead writers of `path` left staged; returns how many. */
  sweep(path: string): Promise<number>;
  /** Whether this process may write into the folder (made when it is missing): undefined, or why not. */
  checkWritable(folder: string): Promise<string | undefined>;
  /** Free bytes where the folder lies; undefined where that has no meaning. */
  freeBytes(folder: string): Promise<number | undefined>;
}
