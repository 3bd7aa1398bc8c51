import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { type ColumnChunk, chunksOf } from "../../parquet/footer.ts";
import { DamagedPage, PassingPages } from "../../parquet/pages.ts";
import type { LocalFile, OpenFile, RemoteFile } from "../../store/store.ts";
import { copyBlockBytes, copyBlocks, streamedBytes } from "../budget.ts";
import { damaged } from "../inspect/table.ts";
import { joinRanges } from "../ranges.ts";
import type { PlannedTable } from "../table.ts";
import { checkArrived } from "./arrival.ts";
import { type CopyRange, cutBlock } from "./copy-table.ts";
import type { Output } from "./output.ts";
import type { TransferThreads } from "./transfer-threads.ts";

/** Copies encoded column chunks, undecoded, and enters them in the footer of the output. */
export class Splicer {
  readonly #output: Output;
  readonly #signal: AbortSignal;
  readonly #threads: TransferThreads | undefined;
  readonly #pool = new BlockPool();

  /** `threads`: copy files of this machine in place of this thread. */
  constructor(output: Output, signal: AbortSignal, threads: TransferThreads | undefined) {
    this.#output = output;
    this.#signal = signal;
    this.#threads = threads;
  }

  /**
   * Copies the column chunks of a table into the output. Resolves when that is done, or given to a thread; `sum`, the CRC32C
   * of the whole input, when it is done.
   * @throws Failure (input) when a page has a checksum that is not its bytes': of this table, or one that was given before.
   */
  async splice(table: PlannedTable, opened: OpenFile): Promise<{ readonly sum: Promise<number> }> {
    const { shared } = this.#output;
    if (this.#threads !== undefined && shared !== undefined && !opened.isRemote)
      return this.#give(table, opened, this.#threads, shared);
    try {
      return { sum: Promise.resolve(await this.#copyTable(table, opened)) };
    } catch (error) {
      throw error instanceof DamagedPage ? damagedPage(table, error) : error;
    }
  }

  async #give(
    table: PlannedTable,
    { descriptor, size }: LocalFile,
    threads: TransferThreads,
    shared: NonNullable<Output["shared"]>,
  ): Promise<{ readonly sum: Promise<number> }> {
    const ranges = planRanges(table, this.#output.position);
    const length = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    const chunks = chunksOfTable(table).map((chunk) => ({ start: chunk.start, size: chunk.size }));
    const copy = { input: descriptor, size, output: shared.descriptor, ranges, chunks };
    shared.reserve(length);
    let sum = 0;
    const { done } = await threads.copy(
      copy,
      (sums) => {
        shared.addSum(sums.output, length);
        this.#enter(table, ranges);
        sum = sums.input;
      },
      (error) => damagedPage(table, error),
    );
    return { sum: done.then(() => sum) };
  }

  #enter(table: PlannedTable, ranges: readonly CopyRange[]): void {
    for (const column of table.columns)
      this.#output.addColumn(table.footer, column, (chunk) => findRange(ranges, chunk.start).delta);
  }

  async #copyTable(table: PlannedTable, opened: OpenFile): Promise<number> {
    const ranges = planRanges(table, this.#output.position);
    const pages = new PassingPages(chunksOfTable(table));
    const checksum = opened.isRemote
      ? await this.#copyStream(opened, ranges, pages, table)
      : await this.#copyBlocks(opened, ranges, pages);
    this.#enter(table, ranges);
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

  /**
   * Reads an object whole, in one request: the key and the footer, which go nowhere, are a small part of it, and only the sum of
   * all its bytes tells whether they arrived as they are in the bucket.
   */
  async #copyStream(
    opened: RemoteFile,
    ranges: readonly CopyRange[],
    pages: PassingPages,
    { file }: PlannedTable,
  ): Promise<number> {
    let checksum = 0;
    let at = 0;
    let damage: DamagedPage | undefined;
    for await (const bytes of opened.stream(0, opened.size)) {
      this.#signal.throwIfAborted();
      damage ??= findDamage(pages, at, bytes);
      checksum = this.#copy(ranges, at, bytes, checksum).checksum;
      at += bytes.length;
      await this.#output.settle(streamedBytes);
    }
    checkArrived(file, checksum);
    if (damage !== undefined) throw damage;
    return checksum;
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

  /** Appends those bytes of a block that lie in a range. */
  #copy(
    ranges: readonly CopyRange[],
    at: number,
    bytes: Uint8Array,
    before: number,
  ): { readonly checksum: number; readonly written: Promise<unknown> } {
    const { checksum, parts } = cutBlock(ranges, at, bytes, before);
    return { checksum, written: Promise.all(parts.map((part) => this.#output.append(part.bytes, part.crc32c))) };
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

function findDamage(pages: PassingPages, at: number, bytes: Uint8Array): DamagedPage | undefined {
  try {
    pages.pass(at, bytes);
    return undefined;
  } catch (error) {
    if (error instanceof DamagedPage) return error;
    throw error;
  }
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

function damagedPage(table: PlannedTable, error: DamagedPage): Failure {
  const { footer, file } = table;
  const chunk = chunksOfTable(table)[error.chunk];
  if (chunk === undefined) throw new Error(`no chunk ${error.chunk} in a table`, { cause: error });
  const group = footer.rowGroups.findIndex(({ chunks }) => chunks.includes(chunk));
  const found = `column ${chunk.path.join(".")}, row group ${group}: ${error.message}`;
  return new Failure(ExitCode.input, [damaged(file, found)], { cause: error });
}

function findRange(ranges: readonly CopyRange[], start: number): CopyRange {
  const range = ranges.find((candidate) => start >= candidate.start && start <= candidate.end);
  if (range === undefined) throw new Error(`no copied range holds byte ${start}`);
  return range;
}
