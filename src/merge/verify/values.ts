/**
 * Values of the output against their sources, through the key: another way than the merge went. A source row is looked
 * up by its key in a JavaScript Map, not joined.
 */

import type { Problem } from "../../model/failure.ts";
import type { ColumnLineage, InputFile } from "../../model/plan.ts";
import type { DuplicatePolicy, KeyCast } from "../../model/settings.ts";
import { formatNumber } from "../../model/units.ts";
import { buildColumnFile, type LoadedRange, sameChunks } from "../../parquet/column-file.ts";
import { canBeDecoded } from "../../parquet/column-type.ts";
import { PageError } from "../../parquet/encoding/encoding.ts";
import { type Column, type ColumnChunk, type Footer, keepNames } from "../../parquet/footer.ts";
import { countOtherRows } from "../../parquet/gather/compare.ts";
import { identityRuns, type RowRuns } from "../../parquet/gather/rows.ts";
import { type KeyType, keyTypeOf, whyNotComparable } from "../../parquet/key/key-type.ts";
import { KeyDecoder, type KeyVector } from "../../parquet/key/key-vector.ts";
import { matchKeys } from "../../parquet/key/match.ts";
import { countDifferences, type DataFrame, decode, type Series } from "../../parquet/polars.ts";
import { gatherRows, matchRows, type RowMatch } from "../../parquet/row-match.ts";
import type { OpenFile } from "../../store/store.ts";
import { readChunks } from "../ranges.ts";

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
  readonly key: KeyVector;
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
  readonly #keyCast: KeyCast;
  /** Found once for all columns of the table. */
  #match: FoundRows | string | undefined;

  constructor(
    source: SourceFile,
    output: OutputFile,
    {
      key,
      duplicates,
      keyCast,
    }: { readonly key: string; readonly duplicates: DuplicatePolicy; readonly keyCast: KeyCast },
  ) {
    this.#keyCast = keyCast;
    this.#source = source;
    this.#output = output;
    this.#key = key;
    this.#duplicates = duplicates;
  }

  /** Compares some columns: decoded by Polars where it can hold them, by their stored bytes otherwise. */
  async compare(lineage: readonly ColumnLineage[]): Promise<Problem[]> {
    const missing: string[] = [];
    const pairs: ColumnPair[] = [];
    for (const { input, output } of lineage) {
      const from = findColumn(this.#source.footer, input);
      const to = this.#output.columnsByName.get(output);
      if (from === undefined || to === undefined) missing.push(`column ${output} is missing`);
      else pairs.push({ from, to });
    }
    const found = [...missing, ...(await this.#comparePairs(pairs))];
    return found.map((text) => toProblem(text, this.#source.file.table));
  }

  async #comparePairs(pairs: readonly ColumnPair[]): Promise<string[]> {
    if (pairs.length === 0) return [];
    this.#match ??= await this.#findRows();
    const match = this.#match;
    if (typeof match === "string") return [match];
    const readable = pairs.filter(({ from }) => canBeDecoded(from));
    const others = pairs.filter(({ from }) => !canBeDecoded(from));
    return [...(await this.#compareReadable(readable, match)), ...(await this.#compareStored(others, match))];
  }

  /** The source's row for each row of the output, or why it cannot be told. */
  async #findRows(): Promise<FoundRows | string> {
    const { footer, opened } = this.#source;
    const keyColumn = findColumn(footer, this.#key);
    if (keyColumn === undefined) return `the source has no key ${this.#key}`;
    const key = await readKey(opened, footer, keyColumn, this.#keyCast, this.#output.key.type);
    if (typeof key === "string") return `key ${this.#key} ${key}`;
    if (matchKeys(key, this.#output.key, this.#duplicates).equal)
      return { moved: undefined, runs: identityRuns(key.rows) };
    const moved = matchRows(key, this.#output.key, this.#duplicates);
    return { moved, runs: moved.runs };
  }

  /** Decoded by Polars; encodings that it does not know yet are compared as they are stored. */
  async #compareReadable(pairs: readonly ColumnPair[], match: FoundRows): Promise<string[]> {
    try {
      return await this.#compareDecoded(pairs, match);
    } catch (error) {
      const message = messageOf(error);
      if (/not (yet )?(supported|implemented)|unsupported/i.test(message)) return this.#compareStored(pairs, match);
      return [`columns ${pairs.map(({ to }) => to.name).join(", ")} cannot be decoded: ${message}`];
    }
  }

  async #compareDecoded(pairs: readonly ColumnPair[], { moved }: FoundRows): Promise<string[]> {
    if (pairs.length === 0) return [];
    const froms = pairs.map(({ from }) => from);
    const left = await decodeColumns(this.#source.opened, this.#source.footer, froms);
    const tos = pairs.map(({ to }) => to);
    const right = await decodeColumns(this.#output.opened, this.#output.footer, tos);
    // The key itself is not looked up by itself: it has to have the source's values in their order.
    return pairs.flatMap(({ from, to }) =>
      compareColumn(left.getColumn(from.name), right.getColumn(to.name), from.name === this.#key ? undefined : moved),
    );
  }

  async #compareStored(pairs: readonly ColumnPair[], { runs }: FoundRows): Promise<string[]> {
    const problems: string[] = [];
    for (const { from, to } of pairs) problems.push(...(await this.#compareStoredColumn(from, to, runs)));
    return problems;
  }

  /** The encoded bytes, as a splice leaves them, or else the stored values row by row. */
  async #compareStoredColumn(from: Column, to: Column, runs: RowRuns): Promise<string[]> {
    const left = await readChunks(this.#source.opened, this.#source.footer, [from]);
    const right = await readChunks(this.#output.opened, this.#output.footer, [to]);
    if (sameChunks(left, right)) return [];
    try {
      const source = { footer: this.#source.footer, column: from, read: readFrom(left) };
      const output = { footer: this.#output.footer, column: to, read: readFrom(right) };
      return describe(to.name, await countOtherRows(source, output, runs));
    } catch (error) {
      if (error instanceof PageError) return [`column ${to.name} cannot be decoded: ${error.message}`];
      throw error;
    }
  }
}

/** The source's rows in the output: `moved` where they are not in their places. */
interface FoundRows {
  readonly moved: RowMatch | undefined;
  readonly runs: RowRuns;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Chunks out of pieces that were read together. */
function readFrom(pieces: readonly LoadedRange[]): (chunk: ColumnChunk) => Promise<Uint8Array> {
  const byStart = new Map(pieces.map(({ start, bytes }) => [start, bytes]));
  return async ({ start }) => {
    const bytes = byStart.get(start);
    if (bytes === undefined) throw new Error(`the chunk at ${start} was not read`);
    return bytes;
  };
}

function compareColumn(source: Series, output: Series, match: RowMatch | undefined): string[] {
  if (match === undefined) return describe(output.name, countDifferences(source, output));
  const { expected, found, stray } = gatherRows(source, output, match);
  return describe(output.name, stray + countDifferences(expected, found));
}

function describe(column: string, differences: number): string[] {
  return differences === 0
    ? []
    : [
        `column ${column}: ${formatNumber(differences, "value")} ${differences === 1 ? "differs" : "differ"} from the source`,
      ];
}

/** The key of a file in terms of `targets` (its own where undefined), or why it cannot be read. */
export async function readKey(
  opened: OpenFile,
  footer: Footer,
  column: Column,
  cast: KeyCast,
  targets?: KeyType,
): Promise<KeyVector | string> {
  const own = column.elements[0] === undefined ? undefined : keyTypeOf(column.elements[0], cast);
  const type = targets !== undefined && footer.rows === 0 ? targets : own;
  if (type === undefined) return "has a type that cannot be a key";
  const why = targets === undefined ? undefined : whyNotComparable(type, targets);
  if (why !== undefined) return `has ${why}`;
  const pieces = await readChunks(opened, footer, [column]);
  try {
    const byStart = new Map(pieces.map(({ start, bytes }) => [start, bytes]));
    const bytesOf = ({ start }: ColumnChunk) => byStart.get(start) ?? new Uint8Array();
    return new KeyDecoder().decode({ footer, column, type, bytesOf }, targets ?? type);
  } catch (error) {
    if (error instanceof PageError) return `cannot be decoded: ${error.message}`;
    throw error;
  }
}

/** Decodes a few columns of a file through its own footer. */
export async function decodeColumns(opened: OpenFile, footer: Footer, columns: readonly Column[]): Promise<DataFrame> {
  return decode(buildColumnFile(footer, keepNames(columns), await readChunks(opened, footer, columns)));
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
