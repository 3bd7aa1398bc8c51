import type { Problem } from "../../model/failure.ts";
import { describeProblem } from "../../model/failure.ts";
import { fitsUnder } from "../../model/guard.ts";
import type { Plan, TablePlan } from "../../model/plan.ts";
import type { PairResult, Verification } from "../../model/result.ts";
import { agree, formatBytes, formatCount, formatMemory, formatNumber, formatSeconds } from "../../model/units.ts";
import { listPartialTables } from "./partial-tables.ts";

const mostReasons = 8;

/** Lines without their line breaks, here and below: a merge in one, and what it left out; or several lines about what stopped it. */
export function describeResult(result: PairResult): string[] {
  if (result.exitCode !== 0) return describeStop(result);
  const { total, spliced, aligned } = result.tables;
  const parts = [
    `${result.pair.padEnd(8)}${describeShape(result)}`,
    `${formatNumber(total, "table")}: ${formatCount(spliced)} spliced, ${formatCount(aligned)} aligned`,
    result.outcome === "already done" ? "already done, nothing changed" : formatSeconds(result.seconds),
    `peak ${formatMemory(result.peakMemoryBytes)} of ${formatMemory(result.ceilingBytes)}`,
    result.output,
  ];
  const notes = [...listPartialTables(result.rows, result.partialTables), ...listIgnored(result.ignored)];
  return [parts.join("  |  "), ...notes.map((line) => `  ${line}`)];
}

/** Names that a text shows at most. */
const mostNames = 10;

function listIgnored(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length - mostNames;
  return [`ignored: ${names.slice(0, mostNames).join(", ")}${more > 0 ? ` and ${formatCount(more)} more` : ""}`];
}

function describeStop(result: PairResult): string[] {
  const head = `${result.pair}: ${result.outcome} (exit ${result.exitCode}) after ${formatSeconds(result.seconds)}, peak ${formatMemory(result.peakMemoryBytes)} of ${formatMemory(result.ceilingBytes)}`;
  return [head, ...describeProblems(result.problems)];
}

/** One bulleted line per problem. */
export function describeProblems(problems: readonly Problem[]): string[] {
  return problems.map((problem) => `  - ${describeProblem(problem)}`);
}

/** What a merge would do. */
export function describePlan(plan: Plan, withTables: boolean): string[] {
  const aligned = plan.tables.filter((table) => table.action === "align").length;
  const fits = fitsUnder(plan.ceilingBytes, plan.predictedPeakBytes) ? "fits" : "does not fit";
  return [
    plan.pair,
    `  tables     ${formatCount(plan.tables.length)}: ${formatCount(plan.tables.length - aligned)} spliced, ${formatCount(aligned)} aligned`,
    ...countReasons(plan.tables).map(([reason, count]) => `             ${formatCount(count)} × ${reason}`),
    ...(plan.excluded.length === 0 ? [] : [`  left out   ${listSome(plan.excluded)}`]),
    ...describeIndex(plan.tables),
    ...describeChangedTypes(plan.tables),
    `  output     ${describeShape(plan)}, ${formatNumber(plan.rowGroups.length, "row group")}, about ${formatBytes(plan.outputBytes)}`,
    `  read       ${formatBytes(plan.readBytes)}`,
    `  assembly   ${plan.assembly.how}: ${plan.assembly.why}`,
    `  memory     ${formatMemory(plan.predictedPeakBytes)} predicted peak, ${fits} under the ceiling of ${formatMemory(plan.ceilingBytes)}`,
    `  time       about ${formatSeconds(plan.predictedSeconds)}`,
    ...[...listPartialTables(plan.rows, plan.partialTables), ...listIgnored(plan.ignored)].map((line) => `  ${line}`),
    ...(withTables ? plan.tables.map(describeTable) : []),
  ];
}

/** The most frequent reasons, and how many tables have each. */
function countReasons(tables: readonly TablePlan[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const table of tables) {
    const reason = `${table.action}: ${summarizeReason(table)}`;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort((left, right) => right[1] - left[1]).slice(0, mostReasons);
}

/** The reason without its numbers, which differ from table to table. */
function summarizeReason(table: TablePlan): string {
  if (table.action === "splice") return table.reason;
  if (table.sameKeys) return "row groups other than the output's";
  const parts = [
    ...(table.rowsNullFilled > 0 ? ["rows missing"] : []),
    ...(table.rowsDropped > table.duplicateRows ? ["rows not in the targets"] : []),
    ...(table.duplicateRows > 0 ? ["duplicate rows"] : []),
  ];
  return parts.length === 0 ? "rows in another order" : parts.join(", ");
}

function describeIndex(tables: readonly TablePlan[]): string[] {
  const indexed = tables.filter(({ leftOut }) => leftOut.length > 0);
  if (indexed.length === 0) return [];
  return [
    `  index      pandas' index of ${listSome(indexed.map(({ file }) => file.table))}: left out, --keep-index keeps it`,
  ];
}

/** Columns that readers see with another type than in their input. */
function describeChangedTypes(tables: readonly TablePlan[]): string[] {
  const changed = tables.flatMap(({ changedTypes }) => changedTypes);
  if (changed.length === 0) return [];
  const more = changed.length - namesShown;
  return [
    `  types      ${formatNumber(changed.length, "column")} ${agree(changed.length, "changes its type", "change their types")}:`,
    ...changed.slice(0, namesShown).map(({ column, from, to }) => `             ${column}: ${from} → ${to}`),
    ...(more > 0 ? [`             and ${formatCount(more)} more: --json lists all`] : []),
  ];
}

/** Names that a line about many shows. */
const namesShown = 8;

/** "3 tables: a, b, c". */
function listSome(names: readonly string[]): string {
  const shown = names.slice(0, namesShown).join(", ");
  const more = names.length > namesShown ? `, and ${formatCount(names.length - namesShown)} more` : "";
  return `${formatNumber(names.length, "table")}: ${shown}${more}`;
}

function describeTable(table: TablePlan): string {
  const size = `${describeShape({ rows: table.rows, columns: table.columns.length })}, ${formatBytes(table.bytes)}`;
  return `  ${table.action}  ${table.file.table}  ${size}  ${table.reason}`;
}

/** "100,000 rows × 17,038 columns". */
function describeShape({ rows, columns }: { readonly rows: number; readonly columns: number }): string {
  return `${formatNumber(rows, "row")} × ${formatNumber(columns, "column")}`;
}

/** What a verification found. */
export function describeVerification(verification: Verification): string[] {
  const { target, level, rowGroups, pages, columnsCompared, valuesCompared, problems } = verification;
  if (problems.length > 0) return [`${target}: ${level} check failed`, ...describeProblems(problems)];
  const parts = [
    describeShape(verification),
    formatNumber(rowGroups, "row group"),
    `${formatNumber(pages, "page")} walked`,
    ...(columnsCompared === 0
      ? []
      : [
          `${formatNumber(columnsCompared, "column")} (${formatNumber(valuesCompared, "value")}) equal to ${agree(columnsCompared, "its source", "their sources")}`,
        ]),
  ];
  return [`${target}: ${level} check passed: ${parts.join(", ")}`];
}
