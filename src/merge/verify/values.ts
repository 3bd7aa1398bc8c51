/**
 * Values of the output against their sources, through the key: another way than the merge went. A source row is looked
 * up by its key in a JavaScript Map, not joined.
 */

import type { Problem } from "../../model/failure.ts";
import type { ColumnLineage, InputFile } from "../../model/plan.ts";
import type { MergeSettings } from "../../model/settings.ts";
import { wrapColumns } from "../../parquet/column-file.ts";
import { canBeAligned } from "../../parquet/column-type.ts";
import type { Column, Footer } from "../../parquet/footer.ts";
import { convertKey, countDifferences, type DataFrame, decode, type Series } from "../../parquet/polars.ts";
import { gatherRows, matchRows, type RowMatch } from "../../parquet/row-match.ts";
import type { OpenFile } from "../../store/store.ts";
import { readChunks } from "../inspect/table.ts";

/** One table's columns in the output, and where they came from. */
export interface Source {
  readonly file: InputFile;
  readonly footer: Footer;
  readonly opened: OpenFile;
  readonly columns: readonly ColumnLineage[];
}

export interface OutputFile {
  readonly footer: Footer;
  readonly opened: OpenFile;
  /** Decoded key of the output. */
  readonly key: Series;
  readonly columnsByName: ReadonlyMap<string, Column>;
}

export interface ValueCheck {
  readonly columns: number;
  readonly values: number;
  readonly problems: readonly Problem[];
}

/** Compares some columns of one table with the output; decoded where Polars can hold them, as encoded bytes otherwise. */
export async function compareTable(
  source: Source,
  output: OutputFile,
  lineage: readonly ColumnLineage[],
  settings: Pick<MergeSettings, "key" | "duplicates">,
): Promise<ValueCheck> {
  const pairs = lineage.map((entry) => ({
    ...entry,
    from: findColumn(source.footer, entry.input),
    to: output.columnsByName.get(entry.output),
  }));
  const missing = pairs.filter(({ from, to }) => from === undefined || to === undefined);
  const present = pairs.flatMap(({ from, to }) => (from === undefined || to === undefined ? [] : [{ from, to }]));
  const decoded = await compareReadable(
    source,
    output,
    present.filter(({ from }) => canBeAligned(from)),
    settings,
  );
  const encoded = await compareEncoded(
    source,
    output,
    present.filter(({ from }) => !canBeAligned(from)),
  );
  const problems = [...missing.map(({ output: name }) => `column ${name} is missing`), ...decoded, ...encoded];
  return {
    columns: lineage.length,
    values: lineage.length * output.key.length,
    problems: problems.map((found) => toProblem(found, source.file.table)),
  };
}

interface ColumnPair {
  readonly from: Column;
  readonly to: Column;
}

/** Decodes where Polars can; encodings that it does not know yet are compared as bytes. */
async function compareReadable(...columns: Parameters<typeof compareDecoded>): Promise<string[]> {
  try {
    return await compareDecoded(...columns);
  } catch (error) {
    const [source, output, pairs] = columns;
    const message = error instanceof Error ? error.message : String(error);
    if (/not (yet )?(supported|implemented)|unsupported/i.test(message)) return compareEncoded(source, output, pairs);
    return [`columns ${pairs.map(({ to }) => to.name).join(", ")} cannot be decoded: ${message}`];
  }
}

async function compareDecoded(
  source: Source,
  output: OutputFile,
  pairs: readonly ColumnPair[],
  settings: Pick<MergeSettings, "key" | "duplicates">,
): Promise<string[]> {
  const keyColumn = findColumn(source.footer, settings.key);
  if (pairs.length === 0) return [];
  if (keyColumn === undefined) return [`the source has no key ${settings.key}`];
  const froms = pairs.map(({ from }) => from).filter((from) => from !== keyColumn);
  const left = await decodeColumns(source.opened, source.footer, [keyColumn, ...froms]);
  const right = await decodeColumns(
    output.opened,
    output.footer,
    pairs.map(({ to }) => to),
  );
  const key = convertKey(left.getColumn(keyColumn.name), output.key);
  if (typeof key === "string") return [`key ${settings.key} has ${key}`];
  const match = key.seriesEqual(output.key) ? undefined : matchRows(key, output.key, settings.duplicates);
  // The key itself is not looked up by itself: it has to have the source's values in their order.
  return pairs.flatMap(({ from, to }) =>
    compareColumn(left.getColumn(from.name), right.getColumn(to.name), from === keyColumn ? undefined : match),
  );
}

function compareColumn(source: Series, output: Series, match: RowMatch | undefined): string[] {
  if (match === undefined) return describe(output.name, countDifferences(source, output));
  const { expected, found, stray } = gatherRows(source, output, match);
  return describe(output.name, stray + countDifferences(expected, found));
}

function describe(column: string, differences: number): string[] {
  return differences === 0 ? [] : [`column ${column}: ${differences} values differ from the source`];
}

async function compareEncoded(source: Source, output: OutputFile, pairs: readonly ColumnPair[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { from, to } of pairs) {
    const left = await readChunks(source.opened, source.footer, [from]);
    const right = await readChunks(output.opened, output.footer, [to]);
    const same =
      left.length === right.length &&
      left.every((piece, index) => Buffer.compare(piece.bytes, right[index]?.bytes ?? Buffer.alloc(0)) === 0);
    if (!same) problems.push(`column ${to.name}: its encoded bytes differ from the source's`);
  }
  return problems;
}

/** Decodes a few columns of a file through its own footer. */
export async function decodeColumns(opened: OpenFile, footer: Footer, columns: readonly Column[]): Promise<DataFrame> {
  return decode(wrapColumns(footer, columns, await readChunks(opened, footer, columns)));
}

function findColumn(footer: Footer, name: string): Column | undefined {
  return footer.columns.find((column) => column.name === name);
}

function toProblem(found: string, table: string): Problem {
  return {
    what: "the output differs from its source",
    found,
    fix: "merge the pair again with --replace; if it stays, extract the table again",
    table,
  };
}
