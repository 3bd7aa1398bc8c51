/** Gathering of some columns of a table: the work that is given to a thread, or done here. */
import { setImmediate } from "node:timers/promises";
import { PageError } from "../../parquet/encoding/encoding.ts";
import type { ColumnGatherer, LeafTask, SourceChunk } from "../../parquet/gather/column.ts";
import type { GatheredChunk } from "../../parquet/gather/gather.ts";
import type { RowPart } from "../../parquet/gather/rows.ts";
import type { ChunkSink } from "./chunk-sink.ts";
import type { ReadChunk } from "./table-source.ts";

/** Columns that are gathered together. Plain data, which can be sent to a thread. */
export interface Batch {
  readonly columns: readonly BatchColumn[];
  /** Whether their chunks are read together, or one by one as they are needed. */
  readonly atOnce: boolean;
}

/** One column: its leaves, in order. */
export interface BatchColumn {
  readonly leaves: readonly Omit<LeafTask, "parts" | "read">[];
}

/** The chunks of a column that were appended, in this order: for each leaf one for each row group of the output. */
export type GatheredColumn = readonly (readonly GatheredChunk[])[];

/** A page of a column that cannot be decoded. */
export class DamagedColumn extends Error {
  /** Its place in the batch. */
  readonly column: number;

  constructor(column: number, message: string) {
    super(message);
    this.column = column;
  }
}

/** What the gathering of a batch works with. */
export interface GatherTools {
  readonly gatherer: ColumnGatherer;
  readonly sink: ChunkSink;
  readonly read: ReadChunk;
  /** Aborted when the merge has to stop. */
  readonly signal?: AbortSignal;
}

/**
 * Gathers the rows of `parts` of each column and appends the chunks to the sink; the last writes may still be on their way
 * when this resolves. Memory: the decoded row groups of one column that an output row group draws from, and encoded chunks.
 * @throws DamagedColumn when a page is damaged
 */
export async function gatherBatch(
  { columns }: Batch,
  parts: readonly RowPart[],
  { gatherer, sink, read, signal }: GatherTools,
): Promise<GatheredColumn[]> {
  const gathered: GatheredColumn[] = [];
  for (const [index, { leaves }] of columns.entries()) {
    signal?.throwIfAborted();
    const chunks: GatheredChunk[][] = [];
    try {
      for (const leaf of leaves) chunks.push(await gatherLeaf({ ...leaf, parts, read }, gatherer, sink));
    } catch (error) {
      throw error instanceof PageError ? new DamagedColumn(index, error.message) : error;
    }
    gathered.push(chunks);
    // Codecs return buffers of their own, which are freed when the event loop turns.
    await setImmediate();
  }
  sink.flush();
  return gathered;
}

async function gatherLeaf(task: LeafTask, gatherer: ColumnGatherer, sink: ChunkSink): Promise<GatheredChunk[]> {
  const chunks: GatheredChunk[] = [];
  for await (const chunk of gatherer.gather(task, () => sink.open())) chunks.push(chunk);
  return chunks;
}

/** The chunks of a batch. */
export function chunksOfBatch({ columns }: Batch): SourceChunk[] {
  return columns.flatMap(({ leaves }) => leaves.flatMap(({ groups }) => groups.map(({ chunk }) => chunk)));
}
