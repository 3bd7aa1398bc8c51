import { createHash } from "node:crypto";
import { outputSettings } from "../../model/comparison.ts";
import type { Problem } from "../../model/failure.ts";
import type { Plan, TablePlan } from "../../model/plan.ts";
import type { MergeSettings } from "../../model/settings.ts";
import type { TaskLimits } from "../../model/task.ts";
import { canBeAligned, decodedSize, describeType, encodedSize } from "../../parquet/column-type.ts";
import { maximumEncodedRows } from "../../parquet/polars.ts";
import type { ProvenTable } from "../inspect/keys.ts";
import type { Inspected } from "../inspect/table.ts";
import { chooseAssembly } from "./assembly.ts";
import { chooseLayout, describeLayout, type Layout, layoutOf, sameLayout } from "./layout.ts";
import { findClashes, nameColumns } from "./naming.ts";
import { predictPeak, predictSeconds, predictTransfer } from "./predict.ts";

export interface PlanInput {
  readonly pair: string;
  readonly settings: MergeSettings;
  readonly limits: TaskLimits;
  readonly targets: Inspected;
  readonly features: readonly ProvenTable[];
  /** Whether the store can take inputs whole into the output, or why not. */
  readonly link: true | string;
  /** Inputs or output lie behind a network. */
  readonly remote: boolean;
}

/** Decides for every table whether it is spliced or aligned. Pure: the same input gives the same plan. */
export function makePlan(input: PlanInput): { readonly plan: Plan; readonly problems: readonly Problem[] } {
  const { targets, features, settings, pair } = input;
  const layout = chooseLayout(targets, features, settings.rowGroupRows);
  const rows = targets.footer.rows;
  const own: ProvenTable = {
    table: targets,
    proof: {
      how: "same bytes",
      comparison: { equal: true, nulls: 0, repeated: 0, firstRepeated: undefined, matched: rows },
    },
  };
  const proven = [own, ...features];
  const tables = proven.map((entry) => planTable(entry, layout, rows, pair, entry === own, settings));
  const columns = 1 + tables.reduce((sum, table) => sum + table.columns.length, 0);
  const { assembly, problems: impossible } = chooseAssembly(settings.assembly, input.link, tables);
  const isLinked = (table: TablePlan): boolean => assembly.how === "compose" && table.action === "splice";
  const outputBytes = sum(tables.map((table) => (isLinked(table) ? table.file.size : table.bytes)));
  const footerBytes = columns * layout.length * 110;
  const readBytes = sum(tables.map((table) => (isLinked(table) ? 0 : table.file.size)));
  const sizes = { tables, rows, columns, rowGroups: layout, outputBytes: outputBytes + footerBytes, readBytes };
  const plan: Plan = {
    ...sizes,
    pair,
    digest: digestPlan(input),
    assembly,
    predictedPeakBytes:
      predictPeak(sizes, proven, input.limits, settings.verify) + (input.remote ? predictTransfer(sizes, assembly) : 0),
    ceilingBytes: input.limits.ceilingBytes,
    predictedSeconds: predictSeconds(sizes),
  };
  const clashes = findClashes(
    settings.key,
    tables.map(({ file, columns: names }) => ({ table: file.table, columns: names })),
  );
  return {
    plan,
    problems: [
      ...impossible,
      ...clashes,
      ...proven.flatMap(({ table }, index) => checkAlignable(table, tables[index], layout)),
    ],
  };
}

function planTable(
  entry: ProvenTable,
  layout: Layout,
  rows: number,
  pair: string,
  isTargets: boolean,
  settings: MergeSettings,
): TablePlan {
  const { table, proof } = entry;
  const { matched, repeated, equal } = proof.comparison;
  const splice = equal && sameLayout(layoutOf(table), layout);
  const columns = table.footer.columns.filter((column) => isTargets || column !== table.key);
  return {
    file: table.file,
    action: splice ? "splice" : "align",
    reason: splice ? `${proof.how} as the targets' key` : explainAlign(entry, layout, rows),
    sameKeys: equal,
    rows: table.footer.rows,
    rowsDropped: table.footer.rows - matched,
    rowsNullFilled: rows - matched,
    duplicateRows: repeated,
    columns: nameColumns(table, pair, isTargets, settings.naming),
    bytes: sum(columns.map((column) => encodedSize(table.footer, column))),
    decodedBytes: sum(columns.map((column) => decodedSize(table.footer, column))),
  };
}

function explainAlign({ table, proof }: ProvenTable, layout: Layout, rows: number): string {
  const { equal, matched, repeated } = proof.comparison;
  if (equal) return `row groups ${describeLayout(layoutOf(table))} where the output has ${describeLayout(layout)}`;
  const missing = rows - matched;
  const surplus = table.footer.rows - matched - repeated;
  const parts = [
    ...(missing > 0 ? [`${missing.toLocaleString("en-US")} rows missing`] : []),
    ...(surplus > 0 ? [`${surplus.toLocaleString("en-US")} rows not in the targets`] : []),
    ...(repeated > 0 ? [`${repeated.toLocaleString("en-US")} duplicate rows`] : []),
  ];
  return parts.length > 0 ? parts.join(", ") : "rows in another order";
}

function checkAlignable(table: Inspected, plan: TablePlan | undefined, layout: Layout): Problem[] {
  if (plan?.action !== "align") return [];
  const others = table.footer.columns.filter((column) => column !== table.key && !canBeAligned(column));
  const tooLong = layout.some((rows) => rows > maximumEncodedRows);
  return [
    ...others.map((column) => ({
      what: `column ${column.name} can only be spliced, and the table has to be aligned (${plan.reason})`,
      found: describeType(column),
      fix: "extract the table with the targets' keys and row groups, or without this column",
      table: table.file.table,
    })),
    ...(tooLong
      ? [
          {
            what: `the table has to be encoded again (${plan.reason})`,
            found: `row groups of ${Math.max(...layout)} rows`,
            fix: `choose --row-group-rows ${maximumEncodedRows} or less`,
            table: table.file.table,
          },
        ]
      : []),
  ];
}

function digestPlan({ pair, settings, targets, features }: PlanInput): string {
  const inputs = [targets, ...features.map(({ table }) => table)].map(({ file }) => [
    file.table,
    file.size,
    file.version,
  ]);
  return createHash("sha256")
    .update(JSON.stringify([pair, outputSettings(settings), inputs]))
    .digest("hex");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
