import type { TablePlan } from "../contract/plan.ts";
import type { Settings } from "../contract/settings.ts";
import { type ColumnChunk, type Footer, magic, parseFooter, trailerBytes } from "../parquet/footer.ts";
import { alignFrame, type DataFrame, decode, encodeRowGroups, type Series } from "../parquet/frame.ts";
import { wrapColumns } from "../parquet/wrap.ts";
import type { Inspected } from "./inspect.ts";
import type { Layout } from "./layout.ts";
import type { Output } from "./output.ts";
import { chooseColumns } from "./splice.ts";

export interface AlignOptions {
  readonly targetsKey: Series;
  readonly duplicates: Settings["duplicates"];
  readonly layout: Layout;
  readonly isTargets: boolean;
}

/**
 * Decodes one table (`bytes`: the whole file), joins it onto the targets' key and appends it in the output's row
 * groups. Resolves when its bytes are written. Memory: the table, decoded, twice, and its encoded form.
 */
export async function alignTable(
  bytes: Uint8Array,
  table: Inspected,
  plan: TablePlan,
  options: AlignOptions,
  output: Output,
): Promise<void> {
  const columns = chooseColumns(table, plan, options.isTargets);
  if (options.layout.length === 0) {
    const empty = { ...table.footer, rowGroups: [] };
    for (const { column, name } of columns) output.addColumn(empty, column, name, () => 0);
    return;
  }
  const encoded = [...encodeRowGroups(alignDecoded(bytes, table, plan, options), options.layout)].map(takeApart);
  await appendEncoded(
    encoded,
    columns.map(({ name }) => name),
    output,
  );
}

function alignDecoded(bytes: Uint8Array, table: Inspected, plan: TablePlan, options: AlignOptions): DataFrame {
  const key = table.key.name;
  const names = new Map(chooseColumns(table, plan, true).map(({ column, name }) => [column, name]));
  const data = { start: magic.length, bytes: bytes.subarray(magic.length, table.dataEnd) };
  const frame = decode(
    wrapColumns(table.footer, [...names.keys()], [data], (column) => names.get(column) ?? column.name),
  );
  const aligned = alignFrame(frame, key, options.targetsKey, options.duplicates, plan.sameKeys);
  return options.isTargets ? aligned : aligned.drop(key);
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

async function appendEncoded(
  encoded: readonly EncodedRowGroup[],
  names: readonly string[],
  output: Output,
): Promise<void> {
  const deltas = new Map<ColumnChunk, number>();
  const writes: Promise<void>[] = [];
  for (const { footer, data } of encoded) {
    for (const chunk of footer.rowGroups[0]?.chunks ?? []) deltas.set(chunk, output.position - magic.length);
    writes.push(output.append(data));
  }
  const first = encoded[0]?.footer;
  if (first === undefined) throw new Error("nothing was encoded");
  const whole = { ...first, rowGroups: encoded.flatMap(({ footer }) => footer.rowGroups) };
  if (first.columns.map((column) => column.name).join() !== names.join())
    throw new Error("the encoder changed the columns");
  for (const column of first.columns) output.addColumn(whole, column, column.name, (chunk) => deltas.get(chunk) ?? 0);
  await Promise.all(writes);
}
