import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { ReusableBuffer } from "../../parquet/buffer-pool.ts";
import { encodedSize } from "../../parquet/column-type.ts";
import { PageError } from "../../parquet/encoding/encoding.ts";
import {
  type Column,
  type ColumnChunk,
  chunksOf,
  type Footer,
  type NamedColumn,
  type RowGroup,
} from "../../parquet/footer.ts";
import { typeDefinedOrder } from "../../parquet/footer-builder.ts";
import { ColumnGatherer, type LeafTask } from "../../parquet/gather/column.ts";
import { allowsNull, describeChunk, hasTypeOrder, makeOptional } from "../../parquet/gather/metadata.ts";
import { missing, type RowPart } from "../../parquet/gather/rows.ts";
import { leavesOf } from "../../parquet/gather/shape.ts";
import { runFinalizers } from "../../parquet/polars.ts";
import { cutBatches, gatherBytes } from "../budget.ts";
import type { PlannedTable } from "../table.ts";
import type { ChunkSink } from "./chunk-sink.ts";
import type { Output } from "./output.ts";
import type { ReadChunk, TableSource } from "./table-source.ts";

export interface AlignTask {
  readonly table: PlannedTable;
  /** The input rows of each row group of the output. */
  readonly parts: readonly RowPart[];
  readonly source: TableSource;
  /** Aborted when the merge has to stop. */
  readonly signal: AbortSignal;
}

/** Aligns tables, one after the other: gathers rows from the pages of each column and appends them to the output. */
export class Aligner {
  readonly #output: Output;
  readonly #sink: ChunkSink;
  readonly #gatherer = new ColumnGatherer();
  /** For the encoded columns that are gathered, and the next ones. */
  #buffers: readonly [ReusableBuffer, ReusableBuffer] = [new ReusableBuffer(), new ReusableBuffer()];

  constructor(output: Output, sink: ChunkSink) {
    this.#output = output;
    this.#sink = sink;
  }

  /**
   * Memory: the decoded row groups of one column that an output row group draws from, and encoded chunks; the last writes may
   * still be on their way when this resolves.
   * @throws Failure (input) when a page of the table is damaged.
   */
  async align(task: AlignTask): Promise<void> {
    const { footer, columns } = task.table;
    const deepens = task.parts.some(hasMissing);
    const batches = cutBatches(columns, ({ column }) => encodedSize(footer, column), gatherBytes);
    let ahead: Promise<ReadChunk> | undefined;
    try {
      for (const [index, batch] of batches.entries()) {
        const read = await (ahead ?? this.#load(task, batch));
        const next = batches[index + 1];
        ahead = next !== undefined && isLoadedAtOnce(footer, batch) ? this.#load(task, next) : undefined;
        // A failure of this batch must not leave a rejection behind that nobody awaits.
        ahead?.catch(() => undefined);
        await this.#alignBatch({ ...task, deepens, read }, batch);
      }
    } finally {
      // The file must not be closed under a read.
      await ahead?.catch(() => undefined);
    }
    this.#sink.flush();
  }

  /** The next columns are read while the ones before are gathered. */
  async #load({ table: { footer }, source }: AlignTask, batch: readonly NamedColumn[]): Promise<ReadChunk> {
    const [buffer, other] = this.#buffers;
    this.#buffers = [other, buffer];
    const columns = batch.map(({ column }) => column);
    return isLoadedAtOnce(footer, batch) ? source.load(chunksOf(footer, columns), buffer) : source.readEach(buffer);
  }

  async #alignBatch(task: BatchTask, batch: readonly NamedColumn[]): Promise<void> {
    for (const column of batch) {
      task.signal.throwIfAborted();
      await this.#alignColumn(task, column);
      // Codecs return buffers of their own, which are freed when the event loop turns.
      await runFinalizers();
    }
  }

  async #alignColumn(task: BatchTask, { column, name }: NamedColumn): Promise<void> {
    const { footer } = task.table;
    const deeper = !allowsNull(column) && task.deepens ? 1 : 0;
    const groups = task.parts.map(({ rows }) => ({ rows, chunks: [] as ColumnChunk[] }));
    try {
      for (const leaf of leafTasks(task, column, deeper)) await this.#gatherLeaf(leaf, groups);
    } catch (error) {
      throw error instanceof PageError ? damagedColumn(task.table, column, error) : error;
    }
    const gathered = deeper === 1 ? makeOptional(column) : column;
    const alone = describeColumn(footer, gathered, groups);
    this.#output.addColumn(alone.footer, { column: alone.column, name }, () => 0);
  }

  async #gatherLeaf(task: LeafTask, groups: readonly { readonly chunks: ColumnChunk[] }[]): Promise<void> {
    let index = 0;
    let start = this.#sink.position;
    for await (const chunk of this.#gatherer.gather(task, () => this.#sink.open())) {
      const group = groups[index];
      if (group === undefined) throw new Error(`more chunks than the ${groups.length} row groups`);
      group.chunks.push(describeChunk(chunk, task.shape, start));
      start = this.#sink.position;
      index += 1;
    }
    if (index !== groups.length) throw new Error(`${index} chunks for ${groups.length} row groups`);
  }
}

/** Columns whose encoded chunks are read together. */
interface BatchTask extends AlignTask {
  /** Whether a row of the output has no row in the table: a required column becomes optional. */
  readonly deepens: boolean;
  readonly read: ReadChunk;
}

/** Chunks of a larger column are read one by one while it is gathered. */
function isLoadedAtOnce(footer: Footer, batch: readonly NamedColumn[]): boolean {
  return batch.reduce((sum, { column }) => sum + encodedSize(footer, column), 0) <= gatherBytes;
}

function hasMissing({ pairs }: RowPart): boolean {
  for (let at = 0; at < pairs.length; at += 2) if (pairs[at] === missing) return true;
  return false;
}

function leafTasks({ table, parts, read }: BatchTask, column: Column, deeper: 0 | 1): LeafTask[] {
  const { footer } = table;
  const filled = footer.rowGroups.filter((group) => group.rows > 0);
  return leavesOf(column).map((shape, index) => {
    const leaf = column.firstLeaf + index;
    const groups = filled.map((group) => ({ rows: group.rows, chunk: chunkOf(group, leaf) }));
    return { shape, nested: column.nested, groups, parts, deeper, ordered: hasTypeOrder(footer, leaf), read };
  });
}

function chunkOf(group: RowGroup, leaf: number): ColumnChunk {
  const chunk = group.chunks[leaf];
  if (chunk === undefined) throw new Error(`no chunk ${leaf} in a row group`);
  return chunk;
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

function damagedColumn(table: PlannedTable, column: Column, error: PageError): Failure {
  const problem = {
    what: "a page cannot be decoded",
    found: `column ${column.name}: ${error.message}`,
    fix: "extract this table again",
    table: table.file.table,
  };
  return new Failure(ExitCode.input, [problem], { cause: error });
}
