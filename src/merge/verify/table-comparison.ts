/**
 * One table against the output: schema, pages, statistics and values of its columns. Rows are looked up by their key in a
 * JavaScript Map: another way than the merge went.
 */

import type { Problem } from "../../model/failure.ts";
import type { ColumnLineage, InputFile, TableAction } from "../../model/plan.ts";
import type { DuplicatePolicy, KeyCast } from "../../model/settings.ts";
import { agree, formatNumber } from "../../model/units.ts";
import { buildColumnFile } from "../../parquet/column-file.ts";
import { canBeDecoded, whyNotGathered } from "../../parquet/column-type.ts";
import { PageError } from "../../parquet/encoding/encoding.ts";
import { type Column, type ColumnChunk, chunksOf, type Footer } from "../../parquet/footer.ts";
import { type ColumnDecoder, type ColumnSource, countOtherRows, type PlainLeaf } from "../../parquet/gather/compare.ts";
import { hasTypeOrder } from "../../parquet/gather/metadata.ts";
import { identityRuns, missing, type RowRuns } from "../../parquet/gather/rows.ts";
import { checkStatistics } from "../../parquet/gather/statistics-check.ts";
import type { KeyVector } from "../../parquet/key/key-vector.ts";
import { findMetadataDifferences } from "../../parquet/metadata-difference.ts";
import { checkPages } from "../../parquet/pages.ts";
import { toPhysical } from "../../parquet/physical-columns.ts";
import { countDifferences, decode, runFinalizers, type Series } from "../../parquet/polars.ts";
import { gatherRows, matchRows, type RowMatch, sameKeys } from "../../parquet/row-match.ts";
import { findOrderDifference, findSchemaDifferences } from "../../parquet/schema-difference.ts";
import type { OpenFile } from "../../store/store.ts";
import { damaged } from "../inspect/table.ts";
import { readChunks } from "../ranges.ts";
import { readKey } from "./key.ts";

/** An open source table, and how it got into the output. */
export interface SourceTable {
  readonly file: InputFile;
  readonly footer: Footer;
  readonly opened: OpenFile;
  readonly action: TableAction;
  /** The source's name of the key. */
  readonly key: string;
}

/** The open output with its decoded key. */
export interface OutputFile {
  readonly footer: Footer;
  readonly opened: OpenFile;
  readonly key: KeyVector;
  readonly columnsByName: ReadonlyMap<string, Column>;
}

/** A column of the source and the column of the output that was made from it. */
export interface ColumnPair {
  readonly from: Column;
  readonly to: Column;
}

/** What was found, and how many pages of the output were looked at. */
export class Findings {
  /** The output is not what it should be. */
  readonly wrong: Problem[] = [];
  /** The sources cannot be read, so the output cannot be judged by them. */
  readonly damaged: Problem[] = [];
  pages = 0;
}

/** What the comparisons of all tables share: the decoders reuse their memory. */
export interface ComparisonContext {
  readonly output: OutputFile;
  readonly duplicates: DuplicatePolicy;
  readonly keyCast: KeyCast;
  readonly findings: Findings;
  readonly decoders: { readonly source: ColumnDecoder; readonly output: ColumnDecoder };
}

/** A pair of columns with their encoded chunks. */
interface LoadedPair extends ColumnPair {
  readonly source: ColumnSource;
  readonly output: ColumnSource;
}

/** The source's rows in the output: `moved` where they are not in their places. */
interface FoundRows {
  readonly moved: RowMatch | undefined;
  readonly runs: RowRuns;
}

export class TableComparison {
  readonly #table: SourceTable;
  readonly #context: ComparisonContext;
  /** Found once for all columns of the table. */
  #rows: FoundRows | undefined;

  constructor(table: SourceTable, context: ComparisonContext) {
    this.#table = table;
    this.#context = context;
  }

  /** The columns whose types agree, so that their values can be compared; reports the others. */
  async pairColumns(lineage: readonly ColumnLineage[]): Promise<readonly ColumnPair[]> {
    if (lineage.length === 0) return [];
    this.#rows = await this.#findRows();
    return lineage.flatMap(({ input, output }) => this.#pairColumn(input, output));
  }

  /** Compares pages, statistics and values of some columns, which are in memory together. */
  async compare(pairs: readonly ColumnPair[]): Promise<void> {
    if (this.#rows === undefined || pairs.length === 0) return;
    const loaded = await this.#load(pairs);
    const changed = loaded.filter((pair) => this.#checkSource(pair) && !this.#isCopy(pair) && this.#checkOutput(pair));
    const agreeing = new Set(this.#compareValues(changed));
    await runFinalizers();
    for (const pair of changed) {
      const sound = this.#checkStatistics(pair);
      if (sound && agreeing.has(pair) && this.#table.action === "splice")
        this.#report(`column ${pair.to.name}: other pages than the source's, which a splice copies`);
    }
  }

  #pairColumn(input: string, output: string): ColumnPair[] {
    const from = findColumn(this.#table.footer, input);
    const to = this.#context.output.columnsByName.get(output);
    if (from === undefined || to === undefined) {
      this.#report(`column ${output} is missing`);
      return [];
    }
    const differences = [
      ...findSchemaDifferences(from, to, !this.#isKey(from) && this.#receivesNulls()),
      ...findOrderDifference(
        { footer: this.#table.footer, column: from },
        { footer: this.#context.output.footer, column: to },
      ),
    ];
    for (const difference of differences) this.#report(`column ${output}: ${difference}`);
    return differences.length === 0 ? [{ from, to }] : [];
  }

  /** The source's row for each row of the output; undefined where it cannot be told, which is reported. */
  async #findRows(): Promise<FoundRows | undefined> {
    const { footer, opened, file, key: name } = this.#table;
    const { output, duplicates, keyCast, findings } = this.#context;
    const column = findColumn(footer, name);
    if (column === undefined) return this.#report(`the source has no key ${name}`);
    const key = await readKey(opened, footer, column, keyCast, output.key.type);
    if ("found" in key) {
      if (!key.damaged) return this.#report(key.found);
      findings.damaged.push(damaged(file, key.found));
      return undefined;
    }
    if (sameKeys(key, output.key)) return { moved: undefined, runs: identityRuns(key.rows) };
    const moved = matchRows(key, output.key, duplicates);
    return { moved, runs: moved.runs };
  }

  /** Only rows that the table does not have make a required column optional. */
  #receivesNulls(): boolean {
    const { pairs } = this.#rows?.runs ?? identityRuns(0);
    return this.#table.action === "align" && pairs.some((value, index) => index % 2 === 0 && value === missing);
  }

  /** The targets' key is not looked up by itself: it has to have the source's values in their order. */
  #rowsOf({ from }: ColumnPair): FoundRows {
    const { footer } = this.#table;
    if (this.#rows === undefined || this.#isKey(from)) return { moved: undefined, runs: identityRuns(footer.rows) };
    return this.#rows;
  }

  #isKey({ name }: Column): boolean {
    return name === this.#table.key;
  }

  async #load(pairs: readonly ColumnPair[]): Promise<LoadedPair[]> {
    const { output } = this.#context;
    const left = await loadChunks(
      this.#table,
      pairs.map(({ from }) => from),
    );
    const right = await loadChunks(
      output,
      pairs.map(({ to }) => to),
    );
    return pairs.map(({ from, to }) => ({
      from,
      to,
      source: { footer: this.#table.footer, column: from, bytesOf: left },
      output: { footer: output.footer, column: to, bytesOf: right },
    }));
  }

  /** Whether the pages of the source are what their headers say. */
  #checkSource({ source }: LoadedPair): boolean {
    const { problem } = checkColumnPages(source);
    if (problem !== undefined) this.#context.findings.damaged.push(damaged(this.#table.file, problem));
    return problem === undefined;
  }

  /** The same of the output. */
  #checkOutput({ output }: LoadedPair): boolean {
    const { pages, problem } = checkColumnPages(output);
    this.#context.findings.pages += pages;
    if (problem !== undefined) this.#report(problem);
    return problem === undefined;
  }

  /**
   * Whether the output has the very pages of the source, in the same places: the values are then the same, and what is left to
   * compare is the metadata of the chunks. The pages are decoded once, so that a damaged one is found.
   */
  #isCopy(pair: LoadedPair): boolean {
    const { source, output, from, to } = pair;
    if (this.#rowsOf(pair).moved !== undefined || !samePages(source, output)) return false;
    const differences = findDifferencesOfChunks(pair);
    if (differences.length > 0 && this.#table.action === "align") return false;
    for (const difference of differences) this.#report(`column ${to.name}: other ${difference} than the source's`);
    this.#context.findings.pages += checkColumnPages(output).pages;
    if (whyNotGathered(source.footer, from) !== undefined) return true;
    try {
      this.#context.decoders.source.check(source);
    } catch (error) {
      this.#reportDamage(from, error);
    }
    return true;
  }

  /** Compares the values of columns whose pages differ: by Polars where it can read them. The columns without a difference. */
  #compareValues(pairs: readonly LoadedPair[]): LoadedPair[] {
    const decoded = decodePairs(pairs.filter(({ from }) => canBeDecoded(from)));
    return pairs.filter((pair) => {
      const columns = decoded.get(pair);
      const rows = this.#rowsOf(pair);
      const readable = columns !== undefined && typeof columns !== "string";
      const differences = readable ? countDecoded(columns, rows) : this.#countStored(pair, rows);
      if (differences === undefined) return false;
      if (differences > 0) this.#report(describeDifferences(pair.to, differences));
      else if (typeof columns === "string")
        this.#report(`column ${pair.to.name} cannot be decoded by Polars, which decodes the source: ${columns}`);
      return differences === 0 && typeof columns !== "string";
    });
  }

  /** Rows that differ, found by the stored values; undefined where they cannot be told, which is reported. */
  #countStored({ from, to, source, output }: LoadedPair, { runs }: FoundRows): number | undefined {
    const { decoders } = this.#context;
    const why = whyNotGathered(source.footer, from) ?? whyNotGathered(output.footer, to);
    if (why !== undefined)
      return this.#report(`column ${to.name}: other pages, whose values cannot be compared (${why})`);
    let left: PlainLeaf[];
    try {
      left = decoders.source.decode(source);
    } catch (error) {
      return this.#reportDamage(from, error);
    }
    try {
      return countOtherRows(left, decoders.output.decode(output), runs);
    } catch (error) {
      return this.#reportUndecodable(to, error);
    }
  }

  /** Whether the statistics of the output hold. */
  #checkStatistics({ to, output }: LoadedPair): boolean {
    if (whyNotGathered(output.footer, to) !== undefined) return true;
    try {
      const found = this.#context.decoders.output.mapChunks(output, ({ chunk, index, leaf }) =>
        checkStatistics(chunk, leaf, hasTypeOrder(output.footer, index)).map(
          (text) => `column ${[to.name, ...chunk.path.slice(1)].join(".")}: ${text}`,
        ),
      );
      for (const text of new Set(found.flat())) this.#report(text);
      return found.flat().length === 0;
    } catch (error) {
      this.#reportUndecodable(to, error);
      return false;
    }
  }

  #reportUndecodable({ name }: Column, error: unknown): undefined {
    if (!(error instanceof PageError)) throw error;
    return this.#report(`column ${name} cannot be decoded: ${error.message}`);
  }

  #reportDamage({ name }: Column, error: unknown): undefined {
    if (!(error instanceof PageError)) throw error;
    const { findings } = this.#context;
    findings.damaged.push(damaged(this.#table.file, `column ${name} cannot be decoded: ${error.message}`));
  }

  #report(found: string): undefined {
    this.#context.findings.wrong.push({
      what: "the output differs from its source",
      found,
      fix: "merge the pair again with --replace; if that does not help, extract the table again",
      table: this.#table.file.table,
    });
  }
}

/** A column as Polars decodes it on both sides, or why it cannot decode the output though it decodes the source. */
type DecodedPair = { readonly source: Series; readonly output: Series } | string;

/** What Polars decodes, all columns together; each alone where that fails, and none whose source it cannot decode. */
function decodePairs(pairs: readonly LoadedPair[]): Map<LoadedPair, DecodedPair> {
  const left = decodeColumns(pairs.map(({ source }) => source));
  const right = typeof left === "string" ? left : decodeColumns(pairs.map(({ output }) => output));
  if (typeof left !== "string" && typeof right !== "string")
    return new Map(pairs.map((pair, index) => [pair, { source: at(left, index), output: at(right, index) }]));
  if (pairs.length > 1) return new Map(pairs.flatMap((pair) => [...decodePairs([pair])]));
  return new Map(typeof left !== "string" && typeof right === "string" ? pairs.map((pair) => [pair, right]) : []);
}

function at(columns: readonly Series[], index: number): Series {
  const column = columns[index];
  if (column === undefined) throw new Error(`no column ${index} in the frame`);
  return column;
}

/** Columns of one file by their stored values, in order; or why Polars cannot decode them. */
function decodeColumns(sources: readonly ColumnSource[]): Series[] | string {
  const [first] = sources;
  if (first === undefined) return [];
  const physical = toPhysical(
    first.footer,
    sources.map(({ column }) => column),
  );
  const ranges = sources.flatMap(({ footer, column, bytesOf }) =>
    chunksOf(footer, [column]).map((chunk) => ({ start: chunk.start, bytes: bytesOf(chunk) })),
  );
  try {
    const frame = decode(buildColumnFile(physical.footer, physical.columns, ranges));
    return physical.columns.map(({ name }) => frame.getColumn(name));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function countDecoded({ source, output }: Exclude<DecodedPair, string>, { moved }: FoundRows): number {
  if (moved === undefined) return countDifferences(source, output);
  const { expected, found, stray } = gatherRows(source, output, moved);
  return stray + countDifferences(expected, found);
}

function describeDifferences({ name }: Column, differences: number): string {
  return `column ${name}: ${formatNumber(differences, "value")} ${agree(differences, "differs", "differ")} from the source`;
}

/** Reads the chunks of some columns; neighbours are one read. */
async function loadChunks(
  { footer, opened }: { readonly footer: Footer; readonly opened: OpenFile },
  columns: readonly Column[],
): Promise<(chunk: ColumnChunk) => Uint8Array> {
  const pieces = await readChunks(opened, footer, columns);
  const byStart = new Map(pieces.map(({ start, bytes }) => [start, bytes]));
  return ({ start }) => {
    const bytes = byStart.get(start);
    if (bytes === undefined) throw new Error(`the chunk at ${start} was not read`);
    return bytes;
  };
}

/** Page headers and checksums of a column; the check ends at the first problem. */
function checkColumnPages({ footer, column, bytesOf }: ColumnSource): { pages: number; problem: string | undefined } {
  let pages = 0;
  for (const chunk of chunksOf(footer, [column])) {
    const bytes = bytesOf(chunk);
    const source = (start: number, length: number) => bytes.subarray(start - chunk.start, start - chunk.start + length);
    const check = checkPages(chunk, source, true);
    pages += check.pages;
    if (check.problem !== undefined) return { pages, problem: `column ${chunk.path.join(".")}: ${check.problem}` };
  }
  return { pages, problem: undefined };
}

/** Whether two columns have the same row groups with the same bytes. */
function samePages(source: ColumnSource, output: ColumnSource): boolean {
  const [left, right] = [groupsOf(source), groupsOf(output)];
  return (
    left.length === right.length &&
    left.every(({ rows, chunks }, group) => {
      const other = right[group];
      return (
        rows === other?.rows &&
        chunks.every((chunk, index) => {
          const copy = other.chunks[index];
          return copy !== undefined && Buffer.compare(source.bytesOf(chunk), output.bytesOf(copy)) === 0;
        })
      );
    })
  );
}

function groupsOf({ footer, column }: ColumnSource): { rows: number; chunks: readonly ColumnChunk[] }[] {
  const { firstLeaf, leaves } = column;
  return footer.rowGroups
    .filter(({ rows }) => rows > 0)
    .map(({ rows, chunks }) => ({ rows, chunks: chunks.slice(firstLeaf, firstLeaf + leaves) }));
}

/** What the chunks of a copied column say otherwise than those of the source, each once. */
function findDifferencesOfChunks({ source, output }: LoadedPair): string[] {
  const copies = chunksOf(output.footer, [output.column]);
  const found = chunksOf(source.footer, [source.column]).flatMap((chunk, index) => {
    const copy = copies[index];
    if (copy === undefined) throw new Error(`no copy of a chunk of ${source.column.name}`);
    const leaf = source.column.firstLeaf + (index % source.column.leaves);
    return findMetadataDifferences(chunk, copy, source.footer.columnOrders?.[leaf] !== undefined);
  });
  return [...new Set(found)];
}

function findColumn(footer: Footer, name: string): Column | undefined {
  return footer.columns.find((column) => column.name === name);
}
