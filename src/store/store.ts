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
  /** When content or attributes last changed, in nanoseconds, where no program can set that time. A later run has no use for it. */
  readonly changeTime?: string;
}

/** What a file was when it was listed: it is read as that, or not at all. */
export type ListedVersion = Pick<StoredFile, "path" | "size" | "version" | "changeTime">;

interface ReadableFile {
  readonly size: number;
  readonly version: string;
  /** Exactly `length` bytes from `start`, into the first bytes of `into` where it is given. */
  read(start: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** An open file of this machine. */
export interface LocalFile extends ReadableFile {
  readonly isRemote: false;
  /** Its number in this process, by which other threads read it until it is closed. */
  readonly descriptor: number;
  /** At most `length` bytes from `start`, fewer at the end of the file; synchronous, for the few bytes of a page header. */
  peek(start: number, length: number): Uint8Array;
}

/** An open object behind a network: every `read` is a request. */
export interface RemoteFile extends ReadableFile {
  readonly isRemote: true;
  /** A long range as one request; the caller may keep the buffers that arrive. */
  stream(start: number, length: number): AsyncIterable<Uint8Array>;
}

/** An open file or object, pinned to the version that it had when it was opened. */
export type OpenFile = LocalFile | RemoteFile;

/** A finished output as the store has it: size in bytes, CRC32C as 8 hexadecimal digits. */
export interface Written {
  readonly size: number;
  readonly crc32c: string;
}

/** An output that is not published yet. Bytes are appended in order; nobody takes it for a result. */
/** A staged file of this machine into which threads write. */
export interface SharedOutput {
  /** Its number in this process. */
  readonly descriptor: number;
  /** Leaves room for the next `length` bytes, which a thread writes. */
  reserve(length: number): void;
  /** Takes the CRC32C of reserved bytes, once they are written: in the order in which they were reserved, before any byte behind them. */
  addSum(crc32c: number, length: number): void;
}

export interface StagedOutput {
  /** Offset of the next byte. */
  readonly position: number;
  /** By which threads write into a file of this machine; undefined for an object. */
  readonly shared: SharedOutput | undefined;
  /**
   * Appends; `bytes` may be reused once the promise resolves. Calls may overlap; the order is that of the calls. `crc32c`
   * is that of `bytes` where the caller knows it.
   */
  write(bytes: Uint8Array, crc32c?: number): Promise<void>;
  /**
   * Appends an input whole, without its bytes passing through this process; its first byte goes to `position`.
   * @throws Error where the output was not staged as `linked`
   */
  link(file: InputFile): void;
  /** Makes all bytes durable. @throws Failure (verification) when the stored bytes are not those that were written */
  finish(): Promise<Written>;
  /** Opens the staged bytes for their verification, after `finish`. */
  open(): Promise<OpenFile>;
  /**
   * Gives the staged bytes their final name in one step: in place of the version `over`, or where nothing has the name.
   * Any other file of that name stays. If it has the very content that was staged, another writer of the same output was
   * faster, and all is well.
   * @throws Failure (input) when another file has the name
   */
  publish(over?: string): Promise<void>;
  /** Removes the staged bytes; harmless after `publish`. */
  discard(): Promise<void>;
}

export interface StageOptions {
  /** The output takes whole inputs by `link`. */
  readonly linked?: boolean;
  /** Bytes that may wait in memory for their upload. */
  readonly bufferBytes?: number;
}

/** What is directly in a folder, by name. */
export interface FolderContent {
  readonly files: readonly StoredFile[];
  readonly folders: readonly string[];
  /** What is neither, or cannot be reached by its name. */
  readonly others: readonly OtherEntry[];
}

/** An entry of a folder that cannot be read as a file or listed as a folder. */
export interface OtherEntry {
  /** Bytes that are not UTF-8 are replaced by U+FFFD. */
  readonly name: string;
  /** In words, such as "a FIFO" or "a link to nothing". */
  readonly what: string;
  /** A folder whose content cannot be listed. */
  readonly isFolder: boolean;
}

/** Where checkpoints are read from and outputs are written to. */
export interface Store {
  join(folder: string, ...names: readonly string[]): string;
  /**
   * What identifies a folder, which need not exist yet, and every folder above it, nearest first: two paths of one folder have
   * the same identity, however links lead there.
   */
  identify(folder: string): Promise<readonly string[]>;
  /** Whether a path lies behind a network, where every access is a request. */
  isRemote(path: string): boolean;
  /** Files directly in a folder, by name; undefined when there is no such folder. */
  list(folder: string): Promise<readonly StoredFile[] | undefined>;
  /** Everything directly in a folder; undefined when there is no such folder. One request for each page of a bucket's list. */
  listAll(folder: string): Promise<FolderContent | undefined>;
  /** Names of the folders directly in a folder, sorted; undefined when there is no such folder. */
  listFolders(folder: string): Promise<readonly string[] | undefined>;
  stat(path: string): Promise<StoredFile | undefined>;
  /**
   * Opens a file; its reads throw when it has become shorter.
   * @throws Failure (input) when the file is no longer the version that was listed; in a bucket, the first read throws it
   */
  open(file: ListedVersion): Promise<OpenFile>;
  /**
   * How a file differs from what was listed; undefined where it does not. What was read of it before is then of that version.
   * Objects never differ, because every read names their generation.
   */
  findChange(file: ListedVersion): Promise<string | undefined>;
  /** In words, what has the name of a file and is none, such as a folder or a link to nothing; undefined where it is free or a file. */
  findObstacle(path: string): Promise<string | undefined>;
  readText(path: string): Promise<string | undefined>;
  /** Writes a document that fits in memory, whole: readers see the old one or the new one. */
  writeText(path: string, text: string | Uint8Array): Promise<void>;
  /**
   * Writes a document if the one that is there has the version `expected` (undefined: if there is none). Returns false
   * and writes nothing otherwise. Of several writers that expect the same version, one succeeds.
   */
  writeTextIf(path: string, text: string, expected: string | undefined): Promise<boolean>;
  /** Removes a file; with `version`, only that version of it. Harmless when it is gone. */
  remove(path: string, version?: string): Promise<void>;
  /** Starts an output that will be published at `path`; makes its folder. */
  stage(path: string, options?: StageOptions): Promise<StagedOutput>;
  /** Whether outputs in `output` can take inputs of `input` whole, by `link`; the reason where they cannot. */
  canLink(input: string, output: string): Promise<true | string>;
  /** Removes what dead writers of these files staged. Returns how many writers there were. */
  sweep(...paths: readonly string[]): Promise<number>;
  /** Why this process may not write into the folder (which need not exist yet); undefined where it may. */
  checkWritable(folder: string): Promise<string | undefined>;
  /**
   * Why an output in the folder (which need not exist yet) could not get its name without the danger of overwriting another
   * one; undefined where it could.
   */
  checkPublishable(folder: string): Promise<string | undefined>;
  /** Free bytes on the disk of a folder; undefined for a bucket. */
  freeBytes(folder: string): Promise<number | undefined>;
  /** The requests that this process has made so far; none for folders of this machine. */
  traffic(): Traffic;
}

/** The traffic of a store that makes no requests. */
export const noTraffic: Traffic = { classA: 0, classB: 0, free: 0, bytesDown: 0, bytesUp: 0 };
