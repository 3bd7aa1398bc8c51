/**
 * One table against the output: schema, pages, statistics and values of its columns. Rows are looked up by their key in a
 * JavaScript Map: another way than the merge went.
 */

import type { Problem } from "../../model/failure.ts";
import type { ColumnLineage, InputFile, TableAction } from "../../model/plan.ts";
import type { DuplicatePolicy, KeyCast } from "../../model/settings.ts";
import { agree, formatNumber } from "../../model/units.ts";
import { canBeDecoded, whyNotGathered } from "../../parquet/column-type.ts";
import { PageError } from "../../parquet/encoding/encoding.ts";
import type { Column, Footer } from "../../parquet/footer.ts";
import { type ColumnDecoder, countOtherRows, type PlainLeaf } from "../../parquet/gather/compare.ts";
import { hasTypeOrder } from "../../parquet/gather/metadata.ts";
import { identityRuns, missing, type RowRuns } from "../../parquet/gather/rows.ts";
import { checkStatistics } from "../../parquet/gather/statistics-check.ts";
import type { KeyVector } from "../../parquet/key/key-vector.ts";
import { runFinalizers } from "../../parquet/polars.ts";
import { matchRows, type RowMatch, sameKeys } from "../../parquet/row-match.ts";
import { findOrderDifference, findSchemaDifferences } from "../../parquet/schema-difference.ts";
import type { OpenFile } from "../../store/store.ts";
import { damaged } from "../inspect/table.ts";
import { countDecoded, decodePairs } from "./decoded-columns.ts";
import {
  type ColumnPair,
  checkColumnPages,
  findCopies,
  findDifferencesOfCopies,
  type LoadedPair,
  loadChunks,
} from "./encoded-columns.ts";
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
    const copies = this.#rowsOf(pair).moved === undefined ? findCopies(pair) : undefined;
    if (copies === undefined) return false;
    const differences = findDifferencesOfCopies(pair, copies);
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
      const differences = readable ? countDecoded(columns, rows.moved) : this.#countStored(pair, rows);
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

function describeDifferences({ name }: Column, differences: number): string {
  return `column ${name}: ${formatNumber(differences, "value")} ${agree(differences, "differs", "differ")} from the source`;
}

function findColumn(footer: Footer, name: string): Column | undefined {
  return footer.columns.find((column) => column.name === name);
}
