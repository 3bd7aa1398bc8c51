import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { type ColumnChunk, chunksOf } from "../../parquet/footer.ts";
import { DamagedPage, PassingPages } from "../../parquet/pages.ts";
import { combineCrc32c, crc32c } from "../../store/crc32c.ts";
import type { OpenFile, RemoteFile } from "../../store/store.ts";
import { copyBlockBytes, copyBlocks, streamedBytes } from "../budget.ts";
import { damaged } from "../inspect/table.ts";
import { joinRanges, type Range, remoteGapBytes } from "../ranges.ts";
import type { PlannedTable } from "../table.ts";
import type { Output } from "./output.ts";

/** A contiguous range of input bytes that goes into the output, and how far it moves. */
interface CopyRange extends Range {
  readonly delta: number;
}

/** Copies encoded column chunks, undecoded, and enters them in the footer of the output. */
export class Splicer {
  readonly #output: Output;
  readonly #signal: AbortSignal;
  readonly #pool = new BlockPool();

  constructor(output: Output, signal: AbortSignal) {
    this.#output = output;
    this.#signal = signal;
  }

  /**
   * Copies the column chunks of a table into the output. Returns the CRC32C of the whole input.
   * @throws Failure (input) when a page has a checksum that is not its bytes'.
   */
  async splice(table: PlannedTable, opened: OpenFile): Promise<number> {
    try {
      return await this.#copyTable(table, opened);
    } catch (error) {
      throw error instanceof DamagedPage ? damagedPage(table, error) : error;
    }
  }

  async #copyTable(table: PlannedTable, opened: OpenFile): Promise<number> {
    const ranges = planRanges(table, this.#output.position);
    const pages = new PassingPages(chunksOfTable(table));
    const checksum =
      opened.isRemote && table.file.crc32c !== undefined
        ? await this.#copyStreams(opened, ranges, pages, table.file.crc32c)
        : await this.#copyBlocks(opened, ranges, pages);
    for (const column of table.columns)
      this.#output.addColumn(table.footer, column, (chunk) => findRange(ranges, chunk.start).delta);
    return checksum;
  }

  /** Makes a whole input part of the output, undecoded and unmoved. Returns its CRC32C. */
  link(table: PlannedTable): number {
    const { file, footer } = table;
    if (file.crc32c === undefined) throw new Error(`${file.path} has no CRC32C`);
    const start = this.#output.link(file);
    for (const column of table.columns) this.#output.addColumn(footer, column, () => start);
    return Number.parseInt(file.crc32c, 16);
  }

  /** Asks for the ranges alone, neighbours in one request: the sum of the whole input is known. */
  async #copyStreams(
    opened: RemoteFile,
    ranges: readonly CopyRange[],
    pages: PassingPages,
    checksum: string,
  ): Promise<number> {
    for (const { start, end } of joinRanges(ranges, remoteGapBytes)) {
      let at = start;
      for await (const bytes of opened.stream(start, end - start)) {
        this.#signal.throwIfAborted();
        pages.pass(at, bytes);
        this.#copy(ranges, at, bytes, 0);
        at += bytes.length;
        await this.#output.settle(streamedBytes);
      }
    }
    return Number.parseInt(checksum, 16);
  }

  /** Reads the file once, in order, through a few blocks; returns the CRC32C of the whole input. */
  async #copyBlocks(opened: OpenFile, ranges: readonly CopyRange[], pages: PassingPages): Promise<number> {
    let checksum = 0;
    for await (const { at, block, bytes } of this.#readBlocks(opened)) {
      this.#output.throwIfFailed();
      pages.pass(at, bytes);
      const copied = this.#copy(ranges, at, bytes, checksum);
      checksum = copied.checksum;
      void copied.written.then(() => this.#pool.release(block));
    }
    return checksum;
  }

  /** The blocks of a file in order; the next one is being read while the consumer works on this one. */
  async *#readBlocks(opened: OpenFile): AsyncGenerator<Block> {
    const read = async (at: number): Promise<Block> => {
      const block = await this.#pool.acquire();
      return { at, block, bytes: await opened.read(at, Math.min(copyBlockBytes, opened.size - at), block) };
    };
    let next: Promise<Block> | undefined;
    try {
      next = opened.size > 0 ? read(0) : undefined;
      while (next !== undefined) {
        const current: Block = await next;
        this.#signal.throwIfAborted();
        next = current.at + copyBlockBytes < opened.size ? read(current.at + copyBlockBytes) : undefined;
        yield current;
      }
    } finally {
      // Left early: the file must not be closed under a read.
      await next?.catch(() => undefined);
    }
  }

  /** Appends those bytes of a block that lie in a range; the input's checksum goes on over all of it, every byte summed once. */
  #copy(
    ranges: readonly CopyRange[],
    at: number,
    bytes: Uint8Array,
    before: number,
  ): { readonly checksum: number; readonly written: Promise<unknown> } {
    const writes: Promise<void>[] = [];
    let checksum = before;
    let done = 0;
    for (const range of ranges) {
      if (range.start >= at + bytes.length || range.end <= at) continue;
      const from = Math.max(0, range.start - at);
      const part = bytes.subarray(from, Math.min(bytes.length, range.end - at));
      const sum = crc32c(part);
      checksum = combineCrc32c(crc32c(bytes.subarray(done, from), checksum), sum, part.length);
      writes.push(this.#output.append(part, sum));
      done = from + part.length;
    }
    return { checksum: crc32c(bytes.subarray(done), checksum), written: Promise.all(writes) };
  }
}

/** A fixed set of buffers, handed out one at a time; the bound on what a copy keeps in memory. */
class BlockPool {
  readonly #free: Uint8Array[] = [];
  readonly #waiting: ((block: Uint8Array) => void)[] = [];
  #made = 0;

  /** A buffer of `copyBlockBytes`; waits until one is free. */
  async acquire(): Promise<Uint8Array> {
    const block = this.#free.pop();
    if (block !== undefined) return block;
    if (this.#made < copyBlocks) {
      this.#made += 1;
      return Buffer.allocUnsafeSlow(copyBlockBytes);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(block: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(block);
    else next(block);
  }
}

interface Block {
  readonly at: number;
  readonly block: Uint8Array;
  readonly bytes: Uint8Array;
}

/** The ranges of the table's chunks, so that a table of contiguous chunks is one copy; the first goes to `position`. */
function planRanges(table: PlannedTable, position: number): CopyRange[] {
  let at = position;
  return joinRanges(
    chunksOfTable(table).map(({ start, size }) => ({ start, end: start + size })),
    0,
  ).map(({ start, end }) => {
    const range = { start, end, delta: at - start };
    at += end - start;
    return range;
  });
}

/** The chunks that go into the output. */
function chunksOfTable({ footer, columns }: PlannedTable): ColumnChunk[] {
  return chunksOf(
    footer,
    columns.map(({ column }) => column),
  );
}

function damagedPage({ footer, file }: PlannedTable, error: DamagedPage): Failure {
  const group = footer.rowGroups.findIndex(({ chunks }) => chunks.includes(error.chunk));
  const found = `column ${error.chunk.path.join(".")}, row group ${group}: ${error.message}`;
  return new Failure(ExitCode.input, [damaged(file, found)], { cause: error });
}

function findRange(ranges: readonly CopyRange[], start: number): CopyRange {
  const range = ranges.find((candidate) => start >= candidate.start && start <= candidate.end);
  if (range === undefined) throw new Error(`no copied range holds byte ${start}`);
  return range;
}
