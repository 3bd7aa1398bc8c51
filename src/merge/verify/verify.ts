import type { Problem } from "../../model/failure.ts";
import type { ColumnLineage, InputFile } from "../../model/plan.ts";
import type { Verification } from "../../model/result.ts";
import type { DuplicatePolicy, KeyCast, VerifyLevel } from "../../model/settings.ts";
import { decodedSize } from "../../parquet/column-type.ts";
import type { Footer } from "../../parquet/footer.ts";
import { readFooter } from "../../parquet/footer-reader.ts";
import { runFinalizers } from "../../parquet/polars.ts";
import type { OpenFile } from "../../store/store.ts";
import { batchBytes, cutBatches } from "../budget.ts";
import type { Context } from "../context.ts";
import { checkFilePages } from "../inspect/page-headers.ts";
import { damaged } from "../inspect/table.ts";
import { checkStructure, type ExpectedOutput, readOutputFooter } from "./structure.ts";
import { type OutputFile, readKey, ValueComparison } from "./values.ts";

/** A source table and the output columns that come from it. */
export interface ExpectedTable {
  readonly file: InputFile;
  readonly isTargets: boolean;
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
 * Verifies an output file. "structure" decodes nothing; "sample" compares one column of every table with its source,
 * "full" every value and every page checksum. The levels above structure need the sources: `expected`.
 */
export async function verifyOutput(
  context: Context,
  { path, opened }: VerifiedFile,
  expected: Expectation | undefined,
  level: VerifyLevel,
): Promise<Verification> {
  const structure = await checkStructure(opened, expected, level === "full");
  const footer = structure.located?.footer;
  const sound = structure.problems.length === 0 && expected !== undefined && level !== "structure";
  const values = sound ? await new SourceComparison(context, expected, level).run(opened) : nothing;
  return {
    target: path,
    level,
    rows: footer?.rows ?? 0,
    columns: footer?.columns.length ?? 0,
    rowGroups: footer?.rowGroups.length ?? 0,
    pages: structure.pages,
    columnsCompared: values.columns,
    valuesCompared: values.values,
    problems: [...structure.problems, ...values.problems],
  };
}

/** How much was compared, and what differs. */
interface ValueCheck {
  readonly columns: number;
  readonly values: number;
  readonly problems: readonly Problem[];
}

const nothing: ValueCheck = { columns: 0, values: 0, problems: [] };

class SourceComparison {
  readonly #context: Context;
  readonly #expected: Expectation;
  readonly #level: VerifyLevel;

  constructor(context: Context, expected: Expectation, level: VerifyLevel) {
    this.#context = context;
    this.#expected = expected;
    this.#level = level;
  }

  async run(opened: OpenFile): Promise<ValueCheck> {
    const output = await this.#openOutput(opened);
    if ("what" in output) return { ...nothing, problems: [output] };
    const { tables } = this.#expected;
    let columns = 0;
    const problems: Problem[] = [];
    for (const [index, table] of tables.entries()) {
      this.#context.port.signal.throwIfAborted();
      const chosen = this.#chooseColumns(table, index);
      problems.push(...(await this.#compareTable(output, table, chosen)));
      columns += chosen.length;
      this.#report(index + 1);
    }
    return { columns, values: columns * output.key.rows, problems };
  }

  async #openOutput(opened: OpenFile): Promise<OutputFile | Problem> {
    const { footer } = await readOutputFooter(opened);
    const columnsByName = new Map(footer.columns.map((column) => [column.name, column]));
    const key = columnsByName.get(this.#expected.key);
    if (key === undefined) throw new Error(`the output has no key ${this.#expected.key}`);
    const found = await readKey(opened, footer, key, this.#expected.keyCast);
    if (typeof found !== "string") return { footer, opened, columnsByName, key: found };
    return { what: `the output's key ${found}`, fix: "merge the pair again with --replace" };
  }

  /** What is compared of a table: all columns, or one; and the key with the targets'. */
  #chooseColumns({ columns, isTargets, key: input }: ExpectedTable, index: number): readonly ColumnLineage[] {
    const chosen = this.#level === "full" ? columns : sampleColumn(columns, index);
    const { key } = this.#expected;
    return isTargets ? [{ input, output: key }, ...chosen] : chosen;
  }

  async #compareTable(
    output: OutputFile,
    table: ExpectedTable,
    columns: readonly ColumnLineage[],
  ): Promise<readonly Problem[]> {
    const { file } = table;
    const opened = await this.#context.store.open(file);
    try {
      const { footer } = await readFooter(opened);
      // An aligned table has new pages in the output: what its own page checksums say is checked here or never.
      const broken = this.#level === "full" ? (await checkFilePages(footer, opened, true)).broken : [];
      const problems: Problem[] = broken.map((found) => damaged(file, found));
      const comparison = new ValueComparison({ file, footer, opened }, output, { ...this.#expected, key: table.key });
      for (const batch of cutBatches(columns, (entry) => sizeOf(footer, entry), batchBytes)) {
        problems.push(...(await comparison.compare(batch)));
        await runFinalizers();
      }
      return problems;
    } finally {
      await opened.close();
    }
  }

  #report(tablesDone: number): void {
    const tables = this.#expected.tables.length;
    this.#context.port.emit({ type: "progress", stage: "verify", tablesDone, tables, bytesDone: 0, bytesTotal: 0 });
  }
}

/** One column of a table, another one from table to table: position matters where a copy goes wrong. */
function sampleColumn(columns: readonly ColumnLineage[], index: number): readonly ColumnLineage[] {
  const column = columns[(index * 7) % Math.max(1, columns.length)];
  return column === undefined ? [] : [column];
}

/** Bytes of a source column once decoded. */
function sizeOf(footer: Footer, { input }: ColumnLineage): number {
  const column = footer.columns.find(({ name }) => name === input);
  return column === undefined ? 0 : decodedSize(footer, column);
}
