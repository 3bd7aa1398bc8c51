import type { Problem } from "../../model/failure.ts";
import type { ColumnLineage, InputFile } from "../../model/plan.ts";
import type { Verification } from "../../model/result.ts";
import type { VerifyLevel } from "../../model/settings.ts";
import { decodedSize } from "../../parquet/column-type.ts";
import type { Footer } from "../../parquet/footer.ts";
import { readFooter } from "../../parquet/footer-reader.ts";
import { releaseFrames } from "../../parquet/polars.ts";
import type { OpenFile } from "../../store/store.ts";
import { walkFile } from "../inspect/page-headers.ts";
import { damaged } from "../inspect/table.ts";
import type { Job } from "../job.ts";
import { batchBytes, cutBatches } from "../transfer/batches.ts";
import { checkStructure, type ExpectedOutput, readOutputFooter } from "./structure.ts";
import { compareTable, decodeColumns, type OutputFile, type ValueCheck } from "./values.ts";

/** A source table and the output columns that come from it. */
export interface ExpectedTable {
  readonly file: InputFile;
  readonly columns: readonly ColumnLineage[];
}

export interface Expectation extends ExpectedOutput {
  readonly tables: readonly ExpectedTable[];
}

/**
 * Verifies an output file. "structure" decodes nothing; "sample" compares one column of every table with its source,
 * "full" every value and every page checksum. The levels above structure need the sources: `expected`.
 */
export async function verifyOutput(
  job: Job,
  target: string,
  opened: OpenFile,
  level: VerifyLevel,
  expected: Expectation | undefined,
): Promise<Verification> {
  const structure = await checkStructure(opened, expected, level === "full");
  const footer = structure.located?.footer;
  const sound =
    structure.problems.length === 0 && footer !== undefined && expected !== undefined && level !== "structure";
  const values = sound ? await compareWithSources(job, opened, expected, level) : nothing;
  return {
    target,
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

const nothing: ValueCheck = { columns: 0, values: 0, problems: [] };

async function compareWithSources(
  job: Job,
  opened: OpenFile,
  expected: Expectation,
  level: VerifyLevel,
): Promise<ValueCheck> {
  const output = await openOutput(job, opened);
  return "what" in output ? { ...nothing, problems: [output] } : compareValues(job, output, expected, level);
}

async function openOutput(job: Job, opened: OpenFile): Promise<OutputFile | Problem> {
  const { footer } = await readOutputFooter(opened);
  const columnsByName = new Map(footer.columns.map((column) => [column.name, column]));
  const key = columnsByName.get(job.settings.key);
  if (key === undefined) throw new Error(`the output has no key ${job.settings.key}`);
  try {
    const decoded = await decodeColumns(opened, footer, [key]);
    return { footer, opened, columnsByName, key: decoded.getColumn(key.name) };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return { what: "the output's key cannot be decoded", found, fix: "merge the pair again with --replace" };
  }
}

async function compareValues(
  job: Job,
  output: OutputFile,
  expected: Expectation,
  level: VerifyLevel,
): Promise<ValueCheck> {
  let columns = 0;
  let values = 0;
  const problems: Problem[] = [];
  for (const [index, table] of expected.tables.entries()) {
    job.port.signal.throwIfAborted();
    const checks = await compareOne(
      job,
      output,
      table,
      chooseColumns(table.columns, index, level, job.settings.key),
      level,
    );
    for (const check of checks) {
      columns += check.columns;
      values += check.values;
      problems.push(...check.problems);
    }
    job.port.emit({
      type: "progress",
      stage: "verify",
      tablesDone: index + 1,
      tables: expected.tables.length,
      bytesDone: 0,
      bytesTotal: 0,
    });
  }
  return { columns, values, problems };
}

/** What is compared of a table: all columns, or one; and the key with the first table's, the targets'. */
function chooseColumns(
  columns: readonly ColumnLineage[],
  index: number,
  level: VerifyLevel,
  key: string,
): readonly ColumnLineage[] {
  const chosen = level === "full" ? columns : sampleColumn(columns, index);
  return index === 0 ? [{ input: key, output: key }, ...chosen] : chosen;
}

/** One column of a table, another one from table to table: position matters where a copy goes wrong. */
function sampleColumn(columns: readonly ColumnLineage[], index: number): readonly ColumnLineage[] {
  const column = columns[(index * 7) % Math.max(1, columns.length)];
  return column === undefined ? [] : [column];
}

async function compareOne(
  job: Job,
  output: OutputFile,
  table: ExpectedTable,
  lineage: readonly ColumnLineage[],
  level: VerifyLevel,
): Promise<ValueCheck[]> {
  const opened = await job.store.open(table.file);
  try {
    const { footer } = await readFooter(opened);
    // An aligned table has new pages in the output: what its own page checksums say is checked here or never.
    const broken = level === "full" ? (await walkFile(footer, opened, true)).broken : [];
    const checks: ValueCheck[] = [{ ...nothing, problems: broken.map((found) => damaged(table.file, found)) }];
    const source = { file: table.file, footer, opened, columns: table.columns };
    for (const batch of cutBatches(lineage, (entry) => sizeOf(footer, entry), batchBytes)) {
      checks.push(await compareTable(source, output, batch, job.settings));
      await releaseFrames();
    }
    return checks;
  } finally {
    await opened.close();
  }
}

/** Bytes of a source column once decoded. */
function sizeOf(footer: Footer, { input }: ColumnLineage): number {
  const column = footer.columns.find(({ name }) => name === input);
  return column === undefined ? 0 : decodedSize(footer, column);
}
