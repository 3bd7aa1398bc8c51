import { createHash } from "node:crypto";
import { outputSettings } from "../../model/comparison.ts";
import type { Problem } from "../../model/failure.ts";
import { type Folders, namesOf, type PairNames } from "../../model/folders.ts";
import { sum } from "../../model/numbers.ts";
import { listPartial } from "../../model/partial-table.ts";
import { describeInput, type Plan, type TablePlan } from "../../model/plan.ts";
import type { AssemblyChoice, OutputSettings, VerifyLevel } from "../../model/settings.ts";
import type { TaskLimits } from "../../model/task.ts";
import { formatNumber } from "../../model/units.ts";
import { ArrowSchemaError, findLostTypes } from "../../parquet/arrow-schema.ts";
import { decodedSize, encodedSize, whyNotGathered } from "../../parquet/column-type.ts";
import type { Footer, NamedColumn } from "../../parquet/footer.ts";
import type { CheckedCheckpoint } from "../inspect/preflight.ts";
import { type PlannedTable, type ProvenTable, printColumns } from "../table.ts";
import { chooseAssembly } from "./assembly.ts";
import { chooseLayout, describeLayout, type Layout, layoutOf, sameLayout } from "./layout.ts";
import { findClashes, findIndexColumns, type NamingSettings, nameColumns } from "./naming.ts";
import { predictPeak, predictSeconds, predictTransfer } from "./predict.ts";
import { chooseThreads } from "./threads.ts";

export interface PlanInput {
  readonly pair: string;
  readonly targets: ProvenTable;
  readonly features: readonly ProvenTable[];
  /** Tables that are left out. */
  readonly excluded: readonly string[];
  /** Names in the checkpoint's folder that are no tables. */
  readonly ignored: readonly string[];
  readonly settings: OutputSettings & {
    readonly folders: Folders;
    readonly assembly: AssemblyChoice;
    readonly verify: VerifyLevel;
  };
  readonly limits: TaskLimits;
  /** Whether the store can take inputs whole into the output, or why not. */
  readonly link: true | string;
  /** Whether inputs or output lie behind a network. */
  readonly remote: boolean;
}

/** What the merge of a pair will do: as a document, and the tables with what was decided about each, targets first. */
export interface PlannedMerge {
  readonly plan: Plan;
  readonly tables: readonly PlannedTable[];
  /** Threads that gather columns and copy tables side by side; 1: the thread that reads and writes does. */
  readonly threads: number;
}

/** Decides for every table whether it is spliced or aligned. Pure: the same input gives the same plan. */
export function makePlan(input: PlanInput): PlannedMerge & { readonly problems: readonly Problem[] } {
  return new Planner(input).plan();
}

/** Bytes of the new footer for one column chunk: 80 to 110 measured. */
const footerBytesPerChunk = 110;

class Planner {
  readonly #input: PlanInput;
  readonly #proven: readonly ProvenTable[];
  /** Rows of the output. */
  readonly #rows: number;
  readonly #layout: Layout;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#proven = [input.targets, ...input.features];
    this.#rows = input.targets.footer.rows;
    this.#layout = chooseLayout(this.#rows, this.#proven, input.settings.rowGroupRows);
  }

  plan(): PlannedMerge & { readonly problems: readonly Problem[] } {
    const { pair, excluded, ignored, settings, limits, link, remote } = this.#input;
    const decided = this.#proven.map((table) => this.#decide(table));
    const { assembly, problems: impossible } = chooseAssembly(
      settings.assembly,
      link,
      decided.map(({ plan }) => plan),
    );
    const tables = decided.map((table): PlannedTable => {
      const { action } = table.plan;
      return { ...table, transfer: action === "splice" && assembly.how === "compose" ? "link" : action };
    });
    const columns = sum(tables.map((table) => table.columns.length));
    const read = tables.filter(({ transfer }) => transfer !== "link");
    const sizes = {
      rows: this.#rows,
      columns,
      rowGroups: this.#layout,
      outputBytes:
        sum(tables.map(({ transfer, plan }) => (transfer === "link" ? plan.file.size : plan.bytes))) +
        columns * this.#layout.length * footerBytesPerChunk,
      readBytes: sum(read.map(({ file }) => file.size)),
    };
    const size = { ...sizes, tables, baselineBytes: limits.baselineBytes, verify: settings.verify, remote };
    const threads = chooseThreads(size, limits);
    const need = { ...size, threads };
    const plan: Plan = {
      tables: tables.map((table) => table.plan),
      excluded,
      ...sizes,
      pair,
      partialTables: listPartial(
        this.#rows,
        tables.map(({ plan: { file, rowsNullFilled, rowsDropped } }) => ({
          table: file.table,
          rowsNullFilled,
          rowsDropped,
        })),
      ),
      ignored,
      digest: this.#digest(),
      assembly,
      predictedPeakBytes: Math.ceil(predictPeak(need) + (remote ? predictTransfer(need, assembly) : 0)),
      ceilingBytes: limits.ceilingBytes,
      predictedSeconds: predictSeconds(need),
    };
    const problems = [...impossible, ...findClashes(tables), ...tables.flatMap(checkAlignable)];
    return { plan, tables, threads, problems };
  }

  #decide(table: ProvenTable): Omit<PlannedTable, "transfer"> {
    const { file, footer, proof } = table;
    const { matched, nulls, repeated, equal } = proof.comparison;
    const splice = equal && sameLayout(layoutOf(table), this.#layout);
    const { pair, settings } = this.#input;
    const columns = nameColumns(table, namesOf(settings.folders, pair), settings);
    const moved = columns.map(({ column }) => column);
    const plan: TablePlan = {
      file: describeInput(file),
      action: splice ? "splice" : "align",
      reason: splice ? `${proof.how} as the targets' key` : this.#explainAlign(table),
      sameKeys: equal,
      rows: footer.rows,
      rowsDropped: footer.rows - matched,
      rowsNullFilled: this.#rows - matched,
      duplicateRows: repeated,
      nullKeyRows: nulls,
      columns: printColumns(table, columns),
      leftOut: findIndexColumns(table, settings).map(({ name }) => name),
      ...describeTypes(footer, columns),
      bytes: sum(moved.map((column) => encodedSize(footer, column))),
      decodedBytes: sum(moved.map((column) => decodedSize(footer, column))),
    };
    return { ...table, columns, plan };
  }

  #explainAlign(table: ProvenTable): string {
    if (table.proof.comparison.equal)
      return `row groups ${describeLayout(layoutOf(table))} where the output has ${describeLayout(this.#layout)}`;
    return describeRows(table, this.#rows);
  }

  #digest(): string {
    const { pair, settings } = this.#input;
    const inputs = this.#proven.map(({ file }) => [file.table, file.size, file.version]);
    return createHash("sha256")
      .update(JSON.stringify([...namesOf(settings.folders, pair), outputSettings(settings), inputs]))
      .digest("hex");
  }
}

/** The columns that lose a type which only the Arrow schema of their input knows. Damage in that schema harms no value. */
function describeTypes(
  footer: Footer,
  columns: readonly NamedColumn[],
): Pick<TablePlan, "changedTypes" | "arrowSchemaIgnored"> {
  try {
    const lost = new Map(findLostTypes(footer).map(({ column, from, to }) => [column, { from, to }]));
    const changedTypes = columns.flatMap(({ column, name }) => {
      const types = lost.get(column);
      return types === undefined ? [] : [{ column: name, ...types }];
    });
    return { changedTypes };
  } catch (error) {
    if (!(error instanceof ArrowSchemaError)) throw error;
    return { changedTypes: [], arrowSchemaIgnored: error.message };
  }
}

/** How the rows of a table with other keys differ from those of the output. */
function describeRows({ footer, proof }: ProvenTable, rows: number): string {
  const { matched, repeated } = proof.comparison;
  const missing = rows - matched;
  const surplus = footer.rows - matched - repeated;
  const parts = [
    ...(missing > 0 ? [`${formatNumber(missing, "row")} missing`] : []),
    ...(surplus > 0 ? [`${formatNumber(surplus, "row")} not in the targets`] : []),
    ...(repeated > 0 ? [formatNumber(repeated, "duplicate row")] : []),
  ];
  return parts.length > 0 ? parts.join(", ") : "rows in another order";
}

/** Why a table that has to be aligned cannot be. */
function checkAlignable({ plan, columns, footer }: Pick<PlannedTable, "plan" | "columns" | "footer">): Problem[] {
  return plan.action === "align" ? listUnreadable({ file: plan.file, columns, footer }, plan.reason) : [];
}

function listUnreadable(
  { file, columns, footer }: Pick<PlannedTable, "file" | "columns" | "footer">,
  reason: string,
): Problem[] {
  return columns.flatMap(({ column }) => {
    const found = whyNotGathered(footer, column);
    if (found === undefined) return [];
    return [
      {
        what: `column ${column.name} can only be spliced, but the table has to be aligned (${reason})`,
        found,
        fix: "extract the table with the targets' keys and row groups, or without this column",
        table: file.table,
      },
    ];
  });
}

/**
 * What would stop the merge of a checkpoint once the problems that preflight found are solved: names that clash, and
 * columns that cannot be aligned where it is certain that they have to be.
 */
export function findFurtherProblems(
  { targets, features, readable }: Pick<CheckedCheckpoint, "targets" | "features" | "readable">,
  pair: PairNames,
  settings: NamingSettings,
): Problem[] {
  const named = readable.map((table) => ({ ...table, columns: nameColumns(table, pair, settings) }));
  const misaligned = features.filter(({ proof }) => !proof.comparison.equal);
  const rows = targets?.table.footer.rows ?? 0;
  const unreadable = misaligned.flatMap((table) => {
    const columns = nameColumns(table, pair, settings);
    return listUnreadable({ ...table, columns }, describeRows(table, rows));
  });
  return [...findClashes(named), ...unreadable];
}
