/**
 * Values of the output against their sources, through the key: another way than the merge went. A source row is looked
 * up by its key in a JavaScript Map, not joined.
 */

import type { Problem } from "../../model/failure.ts";
import type { ColumnLineage, InputFile } from "../../model/plan.ts";
import type { DuplicatePolicy } from "../../model/settings.ts";
import { samePieces, wrapColumns } from "../../parquet/column-file.ts";
import { canBeAligned } from "../../parquet/column-type.ts";
import { type Column, type Footer, keepNames } from "../../parquet/footer.ts";
import { convertKey, countDifferences, type DataFrame, decode, type Series } from "../../parquet/polars.ts";
import { gatherRows, matchRows, type RowMatch } from "../../parquet/row-match.ts";
import type { OpenFile } from "../../store/store.ts";
import { readChunks } from "../inspect/table.ts";

/** An open source table. */
export interface SourceFile {
  readonly file: InputFile;
  readonly footer: Footer;
  readonly opened: OpenFile;
}

/** The open output with its decoded key. */
export interface OutputFile {
  readonly footer: Footer;
  readonly opened: OpenFile;
  readonly key: Series;
  readonly columnsByName: ReadonlyMap<string, Column>;
}

/** A column of the source and the column of the output that was made from it. */
interface ColumnPair {
  readonly from: Column;
  readonly to: Column;
}

/** Compares one table with the output. */
export class ValueComparison {
  readonly #source: SourceFile;
  readonly #output: OutputFile;
  readonly #key: string;
  readonly #duplicates: DuplicatePolicy;

  constructor(
    source: SourceFile,
    output: OutputFile,
    { key, duplicates }: { readonly key: string; readonly duplicates: DuplicatePolicy },
  ) {
    this.#source = source;
    this.#output = output;
    this.#key = key;
    this.#duplicates = duplicates;
  }

  /** Compares some columns: decoded where Polars can hold them, as encoded bytes otherwise. */
  async compare(lineage: readonly ColumnLineage[]): Promise<Problem[]> {
    const missing: string[] = [];
    const pairs: ColumnPair[] = [];
    for (const { input, output } of lineage) {
      const from = findColumn(this.#source.footer, input);
      const to = this.#output.columnsByName.get(output);
      if (from === undefined || to === undefined) missing.push(`column ${output} is missing`);
      else pairs.push({ from, to });
    }
    const decoded = await this.#compareReadable(pairs.filter(({ from }) => canBeAligned(from)));
    const encoded = await this.#compareEncoded(pairs.filter(({ from }) => !canBeAligned(from)));
    return [...missing, ...decoded, ...encoded].map((found) => toProblem(found, this.#source.file.table));
  }

  /** Decodes where Polars can; encodings that it does not know yet are compared as bytes. */
  async #compareReadable(pairs: readonly ColumnPair[]): Promise<string[]> {
    try {
      return await this.#compareDecoded(pairs);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (/not (yet )?(supported|implemented)|unsupported/i.test(message)) return this.#compareEncoded(pairs);
      return [`columns ${pairs.map(({ to }) => to.name).join(", ")} cannot be decoded: ${message}`];
    }
  }

  async #compareDecoded(pairs: readonly ColumnPair[]): Promise<string[]> {
    const source = this.#source;
    const output = this.#output;
    if (pairs.length === 0) return [];
    const keyColumn = findColumn(source.footer, this.#key);
    if (keyColumn === undefined) return [`the source has no key ${this.#key}`];
    const froms = pairs.map(({ from }) => from).filter((from) => from !== keyColumn);
    const left = await decodeColumns(source.opened, source.footer, [keyColumn, ...froms]);
    const tos = pairs.map(({ to }) => to);
    const right = await decodeColumns(output.opened, output.footer, tos);
    const key = convertKey(left.getColumn(keyColumn.name), output.key);
    if (typeof key === "string") return [`key ${this.#key} has ${key}`];
    const match = key.seriesEqual(output.key) ? undefined : matchRows(key, output.key, this.#duplicates);
    // The key itself is not looked up by itself: it has to have the source's values in their order.
    return pairs.flatMap(({ from, to }) =>
      compareColumn(left.getColumn(from.name), right.getColumn(to.name), from === keyColumn ? undefined : match),
    );
  }

  async #compareEncoded(pairs: readonly ColumnPair[]): Promise<string[]> {
    const problems: string[] = [];
    for (const { from, to } of pairs) {
      const left = await readChunks(this.#source.opened, this.#source.footer, [from]);
      const right = await readChunks(this.#output.opened, this.#output.footer, [to]);
      if (!samePieces(left, right)) problems.push(`column ${to.name}: its encoded bytes differ from the source's`);
    }
    return problems;
  }
}

function compareColumn(source: Series, output: Series, match: RowMatch | undefined): string[] {
  if (match === undefined) return describe(output.name, countDifferences(source, output));
  const { expected, found, stray } = gatherRows(source, output, match);
  return describe(output.name, stray + countDifferences(expected, found));
}

function describe(column: string, differences: number): string[] {
  return differences === 0 ? [] : [`column ${column}: ${differences} values differ from the source`];
}

/** Decodes a few columns of a file through its own footer. */
export async function decodeColumns(opened: OpenFile, footer: Footer, columns: readonly Column[]): Promise<DataFrame> {
  return decode(wrapColumns(footer, keepNames(columns), await readChunks(opened, footer, columns)));
}

function findColumn(footer: Footer, name: string): Column | undefined {
  return footer.columns.find((column) => column.name === name);
}

function toProblem(found: string, table: string): Problem {
  return {
    what: "the output differs from its source",
    found,
    fix: "merge the pair again with --replace; if that does not help, extract the table again",
    table,
  };
}
