import type { Problem } from "../../model/failure.ts";
import { describeProblem } from "../../model/failure.ts";
import { fitsUnder } from "../../model/guard.ts";
import type { Plan, TablePlan } from "../../model/plan.ts";
import type { PairResult, Verification } from "../../model/result.ts";
import { formatBytes, formatCount, formatMemory, formatSeconds } from "../../model/units.ts";

/** A merge in one line, or what stopped it in several. */
export function describeResult(result: PairResult): string {
  if (result.exitCode !== 0) return describeStop(result);
  const { total, spliced, aligned } = result.tables;
  const parts = [
    `${result.pair.padEnd(8)}${formatCount(result.rows)} rows × ${formatCount(result.columns)} columns`,
    `${formatCount(total)} tables: ${formatCount(spliced)} spliced, ${formatCount(aligned)} aligned`,
    result.outcome === "already done" ? "already done, nothing touched" : formatSeconds(result.seconds),
    `peak ${formatMemory(result.peakMemoryBytes)} of ${formatMemory(result.ceilingBytes)}`,
    result.output,
  ];
  return `${parts.join("  |  ")}\n`;
}

function describeStop(result: PairResult): string {
  const head = `${result.pair}: ${result.outcome} (exit ${result.exitCode}) after ${formatSeconds(result.seconds)}, peak ${formatMemory(result.peakMemoryBytes)} of ${formatMemory(result.ceilingBytes)}`;
  return `${head}\n${describeProblems(result.problems)}`;
}

/** One bulleted line a problem. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems.map((problem) => `  - ${describeProblem(problem)}\n`).join("");
}

/** What a merge would do. */
export function describePlan(plan: Plan, withTables: boolean): string {
  const aligned = plan.tables.filter((table) => table.action === "align");
  const fits = fitsUnder(plan.ceilingBytes, plan.predictedPeakBytes) ? "fits" : "does not fit";
  const lines = [
    `${plan.pair}`,
    `  tables     ${formatCount(plan.tables.length)}: ${formatCount(plan.tables.length - aligned.length)} spliced, ${formatCount(aligned.length)} aligned`,
    ...countReasons(plan.tables).map(([reason, count]) => `             ${formatCount(count)} × ${reason}`),
    `  output     ${formatCount(plan.rows)} rows × ${formatCount(plan.columns)} columns, ${formatCount(plan.rowGroups.length)} row group(s), about ${formatBytes(plan.outputBytes)}`,
    `  read       ${formatBytes(plan.readBytes)}`,
    `  assembly   ${plan.assembly.how}: ${plan.assembly.why}`,
    `  memory     ${formatMemory(plan.predictedPeakBytes)} predicted peak, ${fits} under the ceiling of ${formatMemory(plan.ceilingBytes)}`,
    `  time       about ${formatSeconds(plan.predictedSeconds)}`,
    ...(withTables ? plan.tables.map(describeTable) : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** Reasons with the numbers left out, and how many tables have each: at most eight. */
function countReasons(tables: readonly TablePlan[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const table of tables) {
    const reason = `${table.action}: ${generalise(table.reason)}`;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort((left, right) => right[1] - left[1]).slice(0, 8);
}

function generalise(reason: string): string {
  return reason.replace(/^row groups .*/, "row groups other than the output's").replace(/[\d,]*\d /g, "");
}

function describeTable(table: TablePlan): string {
  const size = `${formatCount(table.rows)} rows × ${formatCount(table.columns.length)} columns, ${formatBytes(table.bytes)}`;
  return `  ${table.action}  ${table.file.table}  ${size}  ${table.reason}`;
}

/** What a verification found. */
export function describeVerification(verification: Verification): string {
  const { target, level, rows, columns, rowGroups, pages, columnsCompared, valuesCompared, problems } = verification;
  const compared =
    columnsCompared === 0
      ? ""
      : `, ${formatCount(columnsCompared)} columns (${formatCount(valuesCompared)} values) equal to their sources`;
  if (problems.length > 0) return `${target}: ${level} check failed\n${describeProblems(problems)}`;
  return `${target}: ${level} check passed: ${formatCount(rows)} rows × ${formatCount(columns)} columns, ${formatCount(rowGroups)} row group(s), ${formatCount(pages)} pages walked${compared}\n`;
}
