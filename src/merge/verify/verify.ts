import { ExitCode } from "../../model/exit-code.ts";

import { failOn, limitProblems } from "../../model/failure.ts";
import type { ColumnLineage, InputFile, ListedInput, TableAction } from "../../model/plan.ts";

import type { Verification } from "../../model/result.ts";
import type { DuplicatePolicy, KeyCast, VerifyLevel } from "../../model/settings.ts";
import { decodedSize } from "../../parquet/column-type.ts";
import type { Footer } from "../../parquet/footer.ts";
import { type LocatedFooter, ParquetError, readFooter } from "../../parquet/footer-reader.ts";
import { ColumnDecoder } from "../../parquet/gather/compare.ts";
import { NativeGarbage } from "../../parquet/polars.ts";
import type { OpenFile } from "../../store/store.ts";
import { batchBytes, cutBatches } from "../budget.ts";
import type { Context } from "../context.ts";
import { damaged } from "../inspect/table.ts";
import type { ColumnPair } from "./encoded-columns.ts";
import { readKey } from "./key.ts";
import { checkStructure, type ExpectedOutput, readOutputFooter } from "./structure.ts";
import { type ComparisonContext, Findings, type OutputFile, TableComparison } from "./table-comparison.ts";

/** A source table and the output columns that come from it. */
export interface ExpectedTable {
  readonly file: ListedInput;
  readonly isTargets: boolean;
  readonly action: TableAction;
  /** Without the key. */
  readonly columns: readonly ColumnLineage[];
  /** The source's name of the key. */
  readonly key: string;
}

/** What the output is made of. */
export interface Expectation extends ExpectedOutput {
  readonly tables: readonly ExpectedTable[];
  readonly key: string;
  readonly duplicates: DuplicatePolicy;
  readonly keyCast: KeyCast;
}

/** An open output, staged or published, and the path that it has or will have. */
export interface VerifiedFile {
  readonly path: string;
  readonly opened: OpenFile;
}

/**
 * Verifies an output file. "structure" decodes nothing; "sample" compares the types of all columns, and the values of one
 * column of every table, with the sources; "full" all values. The levels above structure need the sources: `expected`.
 * @throws Failure (input) when the sources are damaged, and nothing is wrong with the output otherwise
 */
export async function verifyOutput(
  context: Context,
  { path, opened }: VerifiedFile,
  expected: Expectation | undefined,
  level: VerifyLevel,
): Promise<Verification> {
  const structure = await checkStructure(opened, expected);
  const footer = structure.located?.footer;
  const sound = structure.problems.length === 0 && expected !== undefined && level !== "structure";
  const values = sound ? await new SourceComparison(context, expected, level).run(opened) : nothing;
  const { wrong, damaged: sources, pages } = values.findings;
  const problems = [...structure.problems, ...wrong];
  if (problems.length === 0) failOn(ExitCode.input, sources);
  return {
    target: path,
    level,
    rows: footer?.rows ?? 0,
    columns: footer?.columns.length ?? 0,
    rowGroups: footer?.rowGroups.length ?? 0,
    pages: Math.max(structure.pages, pages),
    columnsCompared: values.columns,
    valuesCompared: values.values,
    problems: limitProblems([...problems, ...sources]),
  };
}

/** How much was compared, and what was found. */
interface ValueCheck {
  readonly columns: number;
  readonly values: number;
  readonly findings: Findings;
}

const nothing: ValueCheck = { columns: 0, values: 0, findings: new Findings() };

class SourceComparison {
  readonly #context: Context;
  readonly #expected: Expectation;
  readonly #level: VerifyLevel;
  readonly #findings = new Findings();
  readonly #garbage = new NativeGarbage();
  readonly #decoders = { source: new ColumnDecoder(), output: new ColumnDecoder() };

  constructor(context: Context, expected: Expectation, level: VerifyLevel) {
    this.#context = context;
    this.#expected = expected;
    this.#level = level;
  }

  async run(opened: OpenFile): Promise<ValueCheck> {
    const findings = this.#findings;
    const output = await this.#openOutput(opened);
    if (output === undefined) return { columns: 0, values: 0, findings };
    const { tables, duplicates, keyCast } = this.#expected;
    const comparison = { output, duplicates, keyCast, findings, decoders: this.#decoders };
    let columns = 0;
    for (const [index, table] of tables.entries()) {
      this.#context.port.signal.throwIfAborted();
      const chosen = this.#chooseColumns(table, index);
      await this.#compareTable(comparison, table, chosen);
      columns += chosen.length;
      this.#report(index + 1);
    }
    return { columns, values: columns * output.key.rows, findings };
  }

  /** The output with its key; undefined where that cannot be read, which is reported. */
  async #openOutput(opened: OpenFile): Promise<OutputFile | undefined> {
    const { footer } = await readOutputFooter(opened);
    const columnsByName = new Map(footer.columns.map((column) => [column.name, column]));
    const column = columnsByName.get(this.#expected.key);
    if (column === undefined) throw new Error(`the output has no key ${this.#expected.key}`);
    const key = await readKey(opened, footer, column, this.#expected.keyCast);
    if (!("found" in key)) return { footer, opened, columnsByName, key };
    const what = "the key of the output cannot be used";
    this.#findings.wrong.push({ what, found: key.found, fix: "merge the pair again with --replace" });
    return undefined;
  }

  /** Whose values are compared: all columns, or one; and the key with the targets'. */
  #chooseColumns(table: ExpectedTable, index: number): readonly ColumnLineage[] {
    if (this.#level === "full") return this.#columnsOf(table);
    const chosen = sampleColumn(table.columns, index);
    return table.isTargets ? [this.#keyLineage(table), ...chosen] : chosen;
  }

  #columnsOf(table: ExpectedTable): readonly ColumnLineage[] {
    return table.isTargets ? [this.#keyLineage(table), ...table.columns] : table.columns;
  }

  #keyLineage({ key }: ExpectedTable): ColumnLineage {
    return { input: key, output: this.#expected.key };
  }

  async #compareTable(
    comparison: ComparisonContext,
    table: ExpectedTable,
    chosen: readonly ColumnLineage[],
  ): Promise<void> {
    const { file, action, key } = table;
    const opened = await this.#context.store.open(file);
    try {
      const located = await this.#readSource(opened, file);
      if (located === undefined) return;
      const { footer } = located;
      const compared = new TableComparison({ file, footer, opened, action, key }, comparison);
      const names = new Set(chosen.map(({ output }) => output));
      const pairs = (await compared.pairColumns(this.#columnsOf(table))).filter(({ to }) => names.has(to.name));
      for (const batch of cutBatches(pairs, ({ from }: ColumnPair) => decodedSize(footer, from), batchBytes)) {
        await compared.compare(batch);
        await this.#garbage.release(garbageOf(batch, footer));
      }
    } finally {
      await opened.close();
    }
  }

  /** The footer of a source; undefined where there is none, which is reported. */
  async #readSource(opened: OpenFile, file: InputFile): Promise<LocatedFooter | undefined> {
    try {
      return await readFooter(opened);
    } catch (error) {
      if (!(error instanceof ParquetError)) throw error;
      this.#findings.damaged.push(damaged(file, error.message));
      return undefined;
    }
  }

  #report(tablesDone: number): void {
    const tables = this.#expected.tables.length;
    this.#context.port.emit({ type: "progress", stage: "verify", tablesDone, tables, bytesDone: 0, bytesTotal: 0 });
  }
}

/** Decoded columns that a comparison makes of each column: of the source and the output, and the rows of both that are matched. */
const framesPerColumn = 4;
/** What comparing a column leaves behind besides them: parsed metadata, and objects of Polars. 65 KiB measured. */
const leftoverBytes = 65_536;

/** Garbage of a compared batch, in bytes. */
function garbageOf(batch: readonly ColumnPair[], footer: Footer): number {
  return batch.reduce((sum, { from }) => sum + framesPerColumn * decodedSize(footer, from) + leftoverBytes, 0);
}

/** One column of a table, another one from table to table: position matters where a copy goes wrong. */
function sampleColumn(columns: readonly ColumnLineage[], index: number): readonly ColumnLineage[] {
  const column = columns[(index * 7) % Math.max(1, columns.length)];
  return column === undefined ? [] : [column];
}
