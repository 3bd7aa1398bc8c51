import type { Traffic } from "../model/measurement.ts";
import type { InputFile } from "../model/plan.ts";

/** A file or object as the store lists it. */
export interface StoredFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Changes whenever the content may have changed. */
  readonly version: string;
  /** CRC32C of the content, 8 hexadecimal digits, where the store knows it without reading. */
  readonly crc32c?: string;
}

/** An open file or object, pinned to the version that it had when it was opened. */
export interface OpenFile {
  readonly size: number;
  readonly version: string;
  /** Exactly `length` bytes from `start`, into `into` when it is given (its first `length` bytes). */
  read(start: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  /**
   * The same, at once: for the few dozen bytes of a page header. Fewer bytes at the end of the file. Absent where every
   * read is a request over a network.
   */
  readonly peek?: (start: number, length: number) => Uint8Array;
  /**
   * A long range in pieces that are the caller's to keep, as one request. Absent where blocks of `read` do as well.
   */
  readonly stream?: (start: number, length: number) => AsyncIterable<Uint8Array>;
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
  /**
   * Appends an input whole, without its bytes passing through this process; its first byte goes to `position`. Absent
   * where the store cannot, and for stages that were not asked for it.
   */
  readonly link?: (file: InputFile) => void;
  /** All bytes are durable. @throws Failure (verification) when what is stored is not what was written. */
  finish(): Promise<Written>;
  /** The staged bytes, to verify them; after `finish`. */
  open(): Promise<OpenFile>;
  /**
   * Gives the staged bytes their final name, at once: in place of the version `over`, or where nothing is. Anything
   * else under that name stays; if it has the very content that was staged, another writer of the same output was
   * faster and all is well, otherwise this is a Failure (input).
   */
  publish(over?: string): Promise<void>;
  /** Removes what was staged; harmless after `publish`. */
  discard(): Promise<void>;
}

export interface StageOptions {
  /** The stage shall take whole inputs by `link`. */
  readonly linked?: boolean;
  /** Bytes that may wait in memory for their upload. */
  readonly bufferBytes?: number;
}

/** Where checkpoints lie and training files go. */
export interface Store {
  join(folder: string, ...names: readonly string[]): string;
  /** Files directly in a folder, by name; undefined when there is no such folder. */
  list(folder: string): Promise<readonly StoredFile[] | undefined>;
  /** Names of the folders directly in a folder, sorted; undefined when there is no such folder. */
  listFolders(folder: string): Promise<readonly string[] | undefined>;
  stat(path: string): Promise<StoredFile | undefined>;
  /** @throws Failure when the file is not the version that the inventory saw. */
  open(file: Pick<InputFile, "path" | "version" | "size">): Promise<OpenFile>;
  readText(path: string): Promise<string | undefined>;
  /** Writes a small document, or what fits in memory, whole: readers see the old one or the new one. */
  writeText(path: string, text: string | Uint8Array): Promise<void>;
  /**
   * The same, if what is there has the version `expected` (undefined: if nothing is there). False when it has not: then
   * nothing was written. Of several writers that expect the same, one succeeds.
   */
  writeTextIf(path: string, text: string, expected: string | undefined): Promise<boolean>;
  /** Removes a file; with `version`, only that version of it. Harmless when it is gone. */
  remove(path: string, version?: string): Promise<void>;
  /** An output that will be published at `path`; makes its folder. */
  stage(path: string, options?: StageOptions): Promise<Stage>;
  /** How outputs in `output` can be made of inputs in `input`: whether `link` would work, or why not. */
  canLink(input: string, output: string): true | string;
  /** Removes what dead writers of `path` left staged; returns how many. */
  sweep(path: string): Promise<number>;
  /** Whether this process may write into the folder (made when it is missing): undefined, or why not. */
  checkWritable(folder: string): Promise<string | undefined>;
  /** Free bytes where the folder lies; undefined where that has no meaning. */
  freeBytes(folder: string): Promise<number | undefined>;
  /** What this process has asked of a service so far; undefined for folders of this machine. */
  traffic(): Traffic | undefined;
}
