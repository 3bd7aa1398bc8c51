import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import type { DuplicatePolicy } from "../../model/settings.ts";
import { type Piece, wrapColumns } from "../../parquet/column-file.ts";
import { decodedSize } from "../../parquet/column-type.ts";
import {
  type Column,
  type ColumnChunk,
  type Footer,
  keepNames,
  magic,
  type NamedColumn,
  parseFooter,
  trailerBytes,
} from "../../parquet/footer.ts";
import {
  alignFrame,
  type DataFrame,
  decode,
  encodeRowGroups,
  releaseFrames,
  type Series,
} from "../../parquet/polars.ts";
import { cutBatches } from "../budget.ts";
import type { Layout } from "../plan/layout.ts";
import type { PlannedTable } from "../table.ts";
import type { Output } from "./output.ts";

export interface AlignOptions {
  readonly targetsKey: Series;
  readonly duplicates: DuplicatePolicy;
  readonly layout: Layout;
  /** Decoded bytes of the columns that are aligned together. */
  readonly batchBytes: number;
  /** Aborted when the merge has to stop. */
  readonly signal: AbortSignal;
}

/**
 * Decodes one table (`bytes`: the whole file), joins it onto the targets' key and appends it in the output's row
 * groups, a few columns at a time. Memory: the file, and a batch of columns decoded, joined and encoded; the writes of
 * the last batch may still be on their way when this resolves.
 * @throws Failure (input) when a page of the table is damaged.
 */
export async function alignTable(
  bytes: Uint8Array,
  table: PlannedTable,
  options: AlignOptions,
  output: Output,
): Promise<void> {
  const { columns } = table;
  if (options.layout.length === 0) {
    const empty = { ...table.footer, rowGroups: [] };
    for (const column of columns) output.addColumn(empty, column, () => 0);
    return;
  }
  for (const batch of cutBatches(columns, ({ column }) => decodedSize(table.footer, column), options.batchBytes)) {
    options.signal.throwIfAborted();
    const encoded: EncodedRowGroup[] = [];
    for (const file of encodeRowGroups(alignBatch(bytes, table, batch, options), options.layout)) {
      encoded.push(takeApart(file));
      // Every row group leaves slices and stream chunks: a hundred of them at once took 300 MiB.
      await releaseFrames();
    }
    await output.settle(options.batchBytes);
    appendEncoded(
      encoded,
      batch.map(({ name }) => name),
      output,
    );
    await releaseFrames();
  }
}

function alignBatch(
  bytes: Uint8Array,
  table: PlannedTable,
  batch: readonly NamedColumn[],
  options: AlignOptions,
): DataFrame {
  const key = table.key.name;
  const values = batch.filter(({ column }) => column !== table.key);
  const columns = [{ column: table.key, name: key }, ...values];
  const pieces = locateChunks(
    bytes,
    table.footer,
    columns.map(({ column }) => column),
  );
  const file = wrapColumns(table.footer, columns, pieces);
  const frame = decodeBatch(file, table, batch);
  const aligned = alignFrame(frame, key, options.targetsKey, options.duplicates, table.plan.sameKeys);
  return batch.some(({ column }) => column === table.key) ? aligned : aligned.drop(key);
}

function decodeBatch(file: Buffer, table: PlannedTable, batch: readonly NamedColumn[]): DataFrame {
  try {
    return decode(file);
  } catch (error) {
    const [first, last] = [batch[0]?.column.name, batch.at(-1)?.column.name];
    const where = first === last ? `column ${first}` : `one of the columns from ${first} to ${last}`;
    const found = `${where}: ${error instanceof Error ? error.message : error}`;
    const problem = {
      what: "a page cannot be decoded",
      found,
      fix: "extract this table again",
      table: table.file.table,
    };
    throw new Failure(ExitCode.input, [problem], { cause: error });
  }
}

/** The chunks of some columns in a file that is in memory as a whole. */
function locateChunks(bytes: Uint8Array, footer: Footer, columns: readonly Column[]): Piece[] {
  const groups = footer.rowGroups.filter((group) => group.rows > 0);
  const chunks = groups.flatMap((group) =>
    columns.flatMap((column) => group.chunks.slice(column.firstLeaf, column.firstLeaf + column.leaves)),
  );
  return chunks.map(({ start, size }) => ({ start, bytes: bytes.subarray(start, start + size) }));
}

interface EncodedRowGroup {
  readonly footer: Footer;
  readonly data: Uint8Array;
}

function takeApart(file: Buffer): EncodedRowGroup {
  const end = file.length - trailerBytes - file.readUInt32LE(file.length - trailerBytes);
  const footer = parseFooter(file.subarray(end, file.length - trailerBytes));
  if (footer.rowGroups.length !== 1)
    throw new Error(`the encoder made ${footer.rowGroups.length} row groups where one was asked for`);
  return { footer, data: file.subarray(magic.length, end) };
}

function appendEncoded(encoded: readonly EncodedRowGroup[], names: readonly string[], output: Output): void {
  const deltas = new Map<ColumnChunk, number>();
  for (const { footer, data } of encoded) {
    for (const chunk of footer.rowGroups[0]?.chunks ?? []) deltas.set(chunk, output.position - magic.length);
    void output.append(data);
  }
  const first = encoded[0]?.footer;
  if (first === undefined) throw new Error("nothing was encoded");
  const whole = { ...first, rowGroups: encoded.flatMap(({ footer }) => footer.rowGroups) };
  if (first.columns.map((column) => column.name).join() !== names.join())
    throw new Error("the encoder changed the columns");
  for (const column of keepNames(first.columns)) output.addColumn(whole, column, (chunk) => deltas.get(chunk) ?? 0);
}
