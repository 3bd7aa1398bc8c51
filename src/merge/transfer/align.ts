import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { ReusableBuffer } from "../../parquet/buffer-pool.ts";
import { encodedSize } from "../../parquet/column-type.ts";
import type { Column, ColumnChunk, Footer, NamedColumn, RowGroup } from "../../parquet/footer.ts";
import { typeDefinedOrder } from "../../parquet/footer-builder.ts";
import { ColumnGatherer, type SourceChunk } from "../../parquet/gather/column.ts";
import { allowsNull, describeChunk, hasTypeOrder, makeOptional } from "../../parquet/gather/metadata.ts";
import { missing, type RowPart } from "../../parquet/gather/rows.ts";
import { type LeafShape, leavesOf, withoutFooter } from "../../parquet/gather/shape.ts";
import { ChunkBuffer } from "../../parquet/page/chunk-buffer.ts";
import { cutBatches, gatherBytes } from "../budget.ts";
import type { PlannedTable } from "../table.ts";
import { ChunkSink } from "./chunk-sink.ts";
import { type Batch, chunksOfBatch, DamagedColumn, type GatheredColumn, gatherBatch } from "./gather-batch.ts";
import type { Output } from "./output.ts";
import type { ReadChunk, TableSource } from "./table-source.ts";
import type { TransferThreads } from "./transfer-threads.ts";

export interface AlignTask {
  readonly table: PlannedTable;
  /** The input rows of each row group of the output. */
  readonly parts: readonly RowPart[];
  readonly source: TableSource;
}

/** A column on its way into the output: what its footer entries are made of. */
interface AlignedColumn extends NamedColumn {
  readonly shapes: readonly LeafShape[];
  /** Definition levels that the output has above the input's: a required column becomes optional where rows are missing. */
  readonly deeper: 0 | 1;
}

/** Buffers for encoded bytes: one is filled, one is on its way to the disk, one waits for its turn. */
const writeBuffers = 3;

/** Aligns tables, one after the other: gathers rows from the pages of each column and appends them to the output. */
export class Aligner {
  readonly #output: Output;
  readonly #signal: AbortSignal;
  readonly #threads: TransferThreads | undefined;
  readonly #gatherer = new ColumnGatherer();
  readonly #sink: ChunkSink;
  /** For the encoded columns that are gathered, and the next ones. */
  #buffers: readonly [ReusableBuffer, ReusableBuffer] = [new ReusableBuffer(), new ReusableBuffer()];

  /** `threads`: gather in place of this thread, which then reads and writes. */
  constructor(output: Output, signal: AbortSignal, threads: TransferThreads | undefined) {
    this.#output = output;
    this.#signal = signal;
    this.#threads = threads;
    const buffers = Array.from({ length: threads === undefined ? writeBuffers : 0 }, () => new ChunkBuffer());
    this.#sink = new ChunkSink(output, buffers);
  }

  /**
   * Resolves when all columns are given to threads, or gathered here; `done` when they are in the output, though the last
   * writes may still be on their way.
   * @throws Failure (input) when a page of a table is damaged: this one, or one that was given to threads before.
   */
  async align(task: AlignTask): Promise<{ readonly done: Promise<void> }> {
    const { footer, columns } = task.table;
    const deepens = task.parts.some(hasMissing);
    const aligned = columns.map(
      (entry): AlignedColumn => ({
        ...entry,
        shapes: leavesOf(entry.column),
        deeper: deepens && !allowsNull(entry.column) ? 1 : 0,
      }),
    );
    const batches = cutBatches(aligned, ({ column }) => encodedSize(footer, column), gatherBytes);
    const { shared } = task.source;
    if (this.#threads !== undefined && shared !== undefined) return this.#giveAll(task, batches, this.#threads, shared);
    await this.#gatherAll(task, batches);
    return { done: Promise.resolve() };
  }

  async #giveAll(
    task: AlignTask,
    batches: readonly AlignedColumn[][],
    threads: TransferThreads,
    { descriptor, addSums }: NonNullable<TableSource["shared"]>,
  ): Promise<{ readonly done: Promise<void> }> {
    const { parts, table } = task;
    const given: Promise<void>[] = [];
    for (const columns of batches) {
      const work = { batch: toBatch(table.footer, columns), parts, descriptor };
      const { done } = await threads.gather(
        work,
        (gathered) => {
          addSums(gathered.sums);
          this.#enter(task, columns, gathered.columns, gathered.start);
        },
        (error) => damagedColumn(table, columns, error),
      );
      given.push(done);
    }
    return { done: Promise.all(given).then(() => undefined) };
  }

  /** The next columns are read while the ones before are gathered. */
  async #gatherAll(task: AlignTask, batches: readonly AlignedColumn[][]): Promise<void> {
    const { footer } = task.table;
    let ahead: Promise<ReadChunk> | undefined;
    try {
      for (const [index, columns] of batches.entries()) {
        const batch = toBatch(footer, columns);
        const read = await (ahead ?? this.#load(task, batch));
        const next = batches[index + 1];
        ahead = next !== undefined && batch.atOnce ? this.#load(task, toBatch(footer, next)) : undefined;
        // A failure of this batch must not leave a rejection behind that nobody awaits.
        ahead?.catch(() => undefined);
        await this.#gather(task, columns, batch, read);
      }
    } finally {
      // The file must not be closed under a read.
      await ahead?.catch(() => undefined);
    }
  }

  async #load({ source }: AlignTask, batch: Batch): Promise<ReadChunk> {
    const [buffer, other] = this.#buffers;
    this.#buffers = [other, buffer];
    return batch.atOnce ? source.load(chunksOfBatch(batch), buffer) : source.readEach(buffer);
  }

  async #gather(task: AlignTask, columns: readonly AlignedColumn[], batch: Batch, read: ReadChunk): Promise<void> {
    const start = this.#output.position;
    const tools = { gatherer: this.#gatherer, sink: this.#sink, read, signal: this.#signal };
    try {
      this.#enter(task, columns, await gatherBatch(batch, task.parts, tools), start);
    } catch (error) {
      throw error instanceof DamagedColumn ? damagedColumn(task.table, columns, error) : error;
    }
  }

  /** Enters columns in the footer whose chunks were appended one after the other, the first one at byte `start`. */
  #enter(
    { table, parts }: AlignTask,
    columns: readonly AlignedColumn[],
    gathered: readonly GatheredColumn[],
    start: number,
  ): void {
    let at = start;
    for (const [index, { column, name, shapes, deeper }] of columns.entries()) {
      const leaves = gathered[index];
      if (leaves === undefined) throw new Error(`column ${name} was not gathered`);
      const groups = parts.map(({ rows }) => ({ rows, chunks: [] as ColumnChunk[] }));
      for (const [leaf, shape] of shapes.entries())
        for (const [part, group] of groups.entries()) {
          const chunk = leaves[leaf]?.[part];
          if (chunk === undefined) throw new Error(`no chunk of column ${name} for row group ${part}`);
          group.chunks.push(describeChunk(chunk, shape, at));
          at += chunk.size;
        }
      const alone = describeColumn(table.footer, deeper === 1 ? makeOptional(column) : column, groups);
      this.#output.addColumn(alone.footer, { column: alone.column, name }, () => 0);
    }
  }
}

function hasMissing({ pairs }: RowPart): boolean {
  for (let at = 0; at < pairs.length; at += 2) if (pairs[at] === missing) return true;
  return false;
}

/** Columns as they are gathered, here or in a thread. */
function toBatch(footer: Footer, columns: readonly AlignedColumn[]): Batch {
  const filled = footer.rowGroups.filter((group) => group.rows > 0);
  const size = columns.reduce((sum, { column }) => sum + encodedSize(footer, column), 0);
  return {
    atOnce: size <= gatherBytes,
    columns: columns.map(({ column, shapes, deeper }) => ({
      leaves: shapes.map((shape, index) => {
        const leaf = column.firstLeaf + index;
        const groups = filled.map((group) => ({ rows: group.rows, chunk: toSourceChunk(group, leaf) }));
        const { nested } = column;
        return { shape: withoutFooter(shape), nested, groups, deeper, ordered: hasTypeOrder(footer, leaf) };
      }),
    })),
  };
}

function toSourceChunk(group: RowGroup, leaf: number): SourceChunk {
  const chunk = group.chunks[leaf];
  if (chunk === undefined) throw new Error(`no chunk ${leaf} in a row group`);
  const { start, size, uncompressedSize, codec, values } = chunk;
  return { start, size, uncompressedSize, codec, values };
}

/** A footer of one column alone, with the row groups that were gathered. */
function describeColumn(
  footer: Footer,
  column: Column,
  rowGroups: readonly RowGroup[],
): { footer: Footer; column: Column } {
  const columnOrders = Array.from(
    { length: column.leaves },
    (_, leaf) => footer.columnOrders?.[column.firstLeaf + leaf] ?? typeDefinedOrder,
  );
  const alone = { ...column, firstLeaf: 0 };
  return { footer: { ...footer, columns: [alone], columnOrders, rowGroups }, column: alone };
}

function damagedColumn(table: PlannedTable, columns: readonly NamedColumn[], error: DamagedColumn): Failure {
  const entry = columns[error.column];
  if (entry === undefined) throw new Error(`no column ${error.column} in a batch`, { cause: error });
  const problem = {
    what: "a page cannot be decoded",
    found: `column ${entry.column.name}: ${error.message}`,
    fix: "extract this table again",
    table: table.file.table,
  };
  return new Failure(ExitCode.input, [problem], { cause: error });
}
