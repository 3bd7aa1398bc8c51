/**
 * Reads a table while its columns are gathered: a few column chunks at a time, each byte of the file summed once. What no
 * chunk covers (headers, the footer, columns that nothing needs) is read for the sum alone.
 */
import type { ReusableBuffer } from "../../parquet/buffer-pool.ts";
import type { SourceChunk } from "../../parquet/gather/column.ts";
import { combineCrc32c, crc32c } from "../../store/crc32c.ts";
import type { LocalFile, OpenFile, RemoteFile } from "../../store/store.ts";
import { copyBlockBytes } from "../budget.ts";
import { isInOrder, joinRanges, type Range } from "../ranges.ts";
import type { PlannedTable } from "../table.ts";

/** The encoded bytes of a chunk. */
export type ReadChunk = (chunk: ChunkPlace) => Promise<Uint8Array>;

type ChunkPlace = Pick<SourceChunk, "start" | "size">;

/** An open table: the key's chunks are loaded first where rows have to be matched, then those of the columns, in order. */
export interface TableSource {
  /** By which threads read a file of this machine; undefined for an object. */
  readonly shared: SharedFile | undefined;
  /** Reads some chunks together; their bytes stay valid until `buffer`, which takes them, is reset. */
  load(chunks: readonly ChunkPlace[], buffer: ReusableBuffer): Promise<ReadChunk>;
  /** For chunks that are too large to be read together: `buffer` takes one at a time. */
  readEach(buffer: ReusableBuffer): ReadChunk;
  /** Reads the rest of the file. Returns the CRC32C of all of it. */
  finish(): Promise<number>;
  close(): Promise<void>;
}

/** An open file of this machine that threads read. */
export interface SharedFile {
  /** Its number in this process. */
  readonly descriptor: number;
  /** Takes the sums of ranges that a thread has read. */
  addSums(sums: readonly SummedRange[]): void;
}

/** A range of a file whose CRC32C is known. */
export interface SummedRange extends Range {
  readonly crc32c: number;
}

/** `buffer` takes the bytes of an object that has to be read as a whole. */
export function openSource(table: PlannedTable, opened: OpenFile, buffer: ReusableBuffer): TableSource {
  if (!opened.isRemote) return new LocalSource(opened);
  return isInOrder(table) ? new StreamSource(opened) : new WholeSource(opened, buffer);
}

/** A file of this machine, which is read in any order. */
class LocalSource implements TableSource {
  readonly shared: SharedFile;
  readonly #opened: LocalFile;
  readonly #sums: SummedRange[] = [];

  constructor(opened: LocalFile) {
    this.#opened = opened;
    this.shared = { descriptor: opened.descriptor, addSums: (sums) => this.#addSums(sums) };
  }

  load(chunks: readonly ChunkPlace[], buffer: ReusableBuffer): Promise<ReadChunk> {
    return loadChunks(this.#opened, chunks, buffer, this.#sums);
  }

  readEach(buffer: ReusableBuffer): ReadChunk {
    return ({ start, size }) => {
      buffer.reset();
      return readRange(this.#opened, { start, end: start + size }, buffer, this.#sums);
    };
  }

  /** One by one: an argument for each of a hundred thousand would be too many. */
  #addSums(sums: readonly SummedRange[]): void {
    for (const sum of sums) this.#sums.push(sum);
  }

  finish(): Promise<number> {
    return sumFile(this.#opened, this.#sums);
  }

  close(): Promise<void> {
    return this.#opened.close();
  }
}

/** Reads chunks of a file of this machine; the sums of the ranges that were read go into `sums`. */
export async function loadChunks(
  file: Pick<LocalFile, "read">,
  chunks: readonly ChunkPlace[],
  buffer: ReusableBuffer,
  sums: SummedRange[],
): Promise<ReadChunk> {
  buffer.reset();
  const loaded = new Map<number, Uint8Array>();
  const ranges = joinRanges(
    chunks.map(({ start, size }) => ({ start, end: start + size })),
    0,
  );
  const sorted = chunks.toSorted((left, right) => left.start - right.start);
  let next = 0;
  for (const range of ranges) {
    const bytes = await readRange(file, range, buffer, sums);
    for (let chunk = sorted[next]; chunk !== undefined && chunk.start < range.end; chunk = sorted[next]) {
      loaded.set(chunk.start, bytes.subarray(chunk.start - range.start, chunk.start - range.start + chunk.size));
      next += 1;
    }
  }
  return async ({ start }) => found(loaded.get(start), start);
}

export async function readRange(
  file: Pick<LocalFile, "read">,
  { start, end }: Range,
  buffer: ReusableBuffer,
  sums: SummedRange[],
): Promise<Uint8Array> {
  const bytes = await file.read(start, end - start, buffer.take(end - start));
  sums.push({ start, end, crc32c: crc32c(bytes) });
  return bytes;
}

function found(bytes: Uint8Array | undefined, start: number): Uint8Array {
  if (bytes === undefined) throw new Error(`the chunk at ${start} was not loaded`);
  return bytes;
}

/** CRC32C of a file of which some ranges are summed; the others are read. */
export async function sumFile(file: Pick<LocalFile, "size" | "read">, sums: readonly SummedRange[]): Promise<number> {
  let total = 0;
  let at = 0;
  const readUpTo = async (end: number): Promise<void> => {
    while (at < end) {
      const length = Math.min(copyBlockBytes, end - at);
      total = crc32c(await file.read(at, length), total);
      at += length;
    }
  };
  // Of two ranges that begin together, the shorter one was read once more: the key, which is matched first.
  for (const range of sums.toSorted((left, right) => left.start - right.start || right.end - left.end)) {
    if (range.start < at) continue;
    await readUpTo(range.start);
    total = combineCrc32c(total, range.crc32c, range.end - range.start);
    at = range.end;
  }
  await readUpTo(file.size);
  return total;
}

/** An object as one stream: one request, and no more of it in memory than the chunks that are loaded. */
class StreamSource implements TableSource {
  readonly shared = undefined;
  readonly #opened: RemoteFile;
  readonly #pieces: AsyncIterator<Uint8Array>;
  /** What has arrived and was not taken yet. */
  #piece: Uint8Array = new Uint8Array();
  #at = 0;
  #sum = 0;

  constructor(opened: RemoteFile) {
    this.#opened = opened;
    this.#pieces = opened.stream(0, opened.size)[Symbol.asyncIterator]();
  }

  async load(chunks: readonly ChunkPlace[], buffer: ReusableBuffer): Promise<ReadChunk> {
    buffer.reset();
    const loaded = new Map<number, Uint8Array>();
    for (const chunk of chunks) loaded.set(chunk.start, await this.#take(chunk, buffer));
    return async ({ start }) => found(loaded.get(start), start);
  }

  readEach(buffer: ReusableBuffer): ReadChunk {
    return (chunk) => {
      buffer.reset();
      return this.#take(chunk, buffer);
    };
  }

  async finish(): Promise<number> {
    await this.#pass(this.#opened.size);
    // The stream counts its last bytes, and leaves its connection in order, when it is asked for more.
    await this.#pieces.next();
    return this.#sum;
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
    await this.#opened.close();
  }

  async #take({ start, size }: ChunkPlace, buffer: ReusableBuffer): Promise<Uint8Array> {
    await this.#pass(start);
    const bytes = buffer.take(size);
    await this.#pass(start + size, bytes);
    return bytes;
  }

  /** Moves on to `end`; the bytes on the way go into `into`. */
  async #pass(end: number, into?: Uint8Array): Promise<void> {
    const from = this.#at;
    if (end < from) throw new Error(`byte ${end} has passed, the stream is at ${from}`);
    while (this.#at < end) {
      if (this.#piece.length === 0) this.#piece = await this.#next();
      const taken = this.#piece.subarray(0, end - this.#at);
      this.#sum = crc32c(taken, this.#sum);
      into?.set(taken, this.#at - from);
      this.#piece = this.#piece.subarray(taken.length);
      this.#at += taken.length;
    }
  }

  async #next(): Promise<Uint8Array> {
    const { value, done } = await this.#pieces.next();
    if (done === true) throw new Error(`the stream ends at byte ${this.#at} of ${this.#opened.size}`);
    return value;
  }
}

/** An object whose chunks are not needed in their order: read as a whole, because every range would be a request. */
class WholeSource implements TableSource {
  readonly shared = undefined;
  readonly #opened: RemoteFile;
  readonly #buffer: ReusableBuffer;
  #bytes: Uint8Array | undefined;

  constructor(opened: RemoteFile, buffer: ReusableBuffer) {
    this.#opened = opened;
    this.#buffer = buffer;
  }

  async load(): Promise<ReadChunk> {
    await this.#read();
    return this.readEach();
  }

  readEach(): ReadChunk {
    return async ({ start, size }) => (await this.#read()).subarray(start, start + size);
  }

  async finish(): Promise<number> {
    return crc32c(await this.#read());
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  async #read(): Promise<Uint8Array> {
    if (this.#bytes === undefined) {
      this.#buffer.reset();
      this.#bytes = await this.#opened.read(0, this.#opened.size, this.#buffer.take(this.#opened.size));
    }
    return this.#bytes;
  }
}
