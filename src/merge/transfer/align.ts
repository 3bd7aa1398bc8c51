import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { PageError } from "../../parquet/encoding/encoding.ts";
import type { Column, ColumnChunk, Footer, NamedColumn, RowGroup } from "../../parquet/footer.ts";
import { typeDefinedOrder } from "../../parquet/footer-builder.ts";
import { ColumnGatherer, type LeafTask } from "../../parquet/gather/column.ts";
import { allowsNull, describeChunk, hasTypeOrder, makeOptional } from "../../parquet/gather/metadata.ts";
import { missing, type RowPart } from "../../parquet/gather/rows.ts";
import { leavesOf } from "../../parquet/gather/shape.ts";
import { runFinalizers } from "../../parquet/polars.ts";
import type { PlannedTable } from "../table.ts";
import type { ChunkSink } from "./chunk-sink.ts";
import type { Output } from "./output.ts";

export interface AlignTask {
  readonly table: PlannedTable;
  /** The input rows of each row group of the output. */
  readonly parts: readonly RowPart[];
  /** The encoded bytes of a chunk. */
  readonly read: (chunk: ColumnChunk) => Promise<Uint8Array>;
  /** Aborted when the merge has to stop. */
  readonly signal: AbortSignal;
}

/** Aligns tables, one after the other: gathers rows from the pages of each column and appends them to the output. */
export class Aligner {
  readonly #output: Output;
  readonly #sink: ChunkSink;
  readonly #gatherer = new ColumnGatherer();

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
    for (const column of task.table.columns) {
      task.signal.throwIfAborted();
      await this.#alignColumn(task, column);
      // Codecs return buffers of their own, which are freed when the event loop turns.
      await runFinalizers();
    }
    this.#sink.flush();
  }

  async #alignColumn(task: AlignTask, { column, name }: NamedColumn): Promise<void> {
    const { footer } = task.table;
    const deeper = !allowsNull(column) && task.parts.some(hasMissing) ? 1 : 0;
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
      groups[index]?.chunks.push(describeChunk(chunk, task.shape, start));
      start = this.#sink.position;
      index += 1;
    }
  }
}

function hasMissing({ pairs }: RowPart): boolean {
  for (let at = 0; at < pairs.length; at += 2) if (pairs[at] === missing) return true;
  return false;
}

function leafTasks({ table, parts, read }: AlignTask, column: Column, deeper: 0 | 1): LeafTask[] {
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
