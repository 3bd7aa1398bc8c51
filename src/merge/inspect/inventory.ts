import { chooseTables, completeMarker, listTables, parseExpected, tableSuffix } from "../../model/checkpoint.ts";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure, type Problem } from "../../model/failure.ts";
import type { InputFile } from "../../model/plan.ts";
import type { CheckpointSettings } from "../../model/settings.ts";
import { matches } from "../../model/table-choice.ts";
import type { PairContext } from "../context.ts";
import type { ListedTable } from "../table.ts";

/** What lies in a checkpoint folder: the targets and the feature tables to merge, by name, and what is wrong with the set. */
export interface Inventory {
  readonly targets: ListedTable | undefined;
  readonly features: readonly ListedTable[];
  /** Names of the tables that the settings leave out. */
  readonly excluded: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * Lists the checkpoint of a pair and compares it with the expected tables; opens no table.
 * @throws Failure (input) when there is no such folder.
 */
export async function takeInventory(
  { store, pair }: Pick<PairContext, "store" | "pair">,
  settings: CheckpointSettings,
): Promise<Inventory> {
  const folder = store.join(settings.input, pair);
  const files = await store.list(folder);
  if (files === undefined) {
    throw new Failure(ExitCode.input, [
      { what: `no checkpoint of ${pair} in ${settings.input}`, fix: "check --input and the pair's name" },
    ]);
  }
  const found = listTables(files);
  const { chosen, excluded } = chooseTables(found, pair, settings);
  const tables = chosen.map((file) => ({ file, isTargets: file.table === settings.targets }));
  const targets = tables.find(({ isTargets }) => isTargets);
  const expected = await readExpected({ store, pair }, settings.expectTables);
  const problems = [
    ...(settings.requireMarker && !files.some((file) => file.name === completeMarker) ? [missingMarker(folder)] : []),
    ...(targets === undefined ? [missingTargets(settings.targets, folder)] : []),
    ...compareWithExpected(found, expected),
    ...findUnmatched(settings.tables, found, pair),
  ];
  return { targets, features: tables.filter(({ isTargets }) => !isTargets), excluded, problems };
}

/** How many tables are expected, or which ones and which file says so; undefined for any. */
type Expected = number | { readonly path: string; readonly names: readonly string[] } | undefined;

/** @throws Failure (usage) when there is no such list. */
async function readExpected(
  { store, pair }: Pick<PairContext, "store" | "pair">,
  expected: CheckpointSettings["expectTables"],
): Promise<Expected> {
  if (typeof expected !== "string") return expected;
  const text = await store.readText(expected);
  if (text !== undefined) return { path: expected, names: parseExpected(text, pair) };
  const what = `the list of expected tables does not exist: ${expected}`;
  throw new Failure(ExitCode.usage, [{ what, fix: "give --expect-tables a number or an existing file" }]);
}

function missingMarker(folder: string): Problem {
  return {
    what: `the checkpoint is not marked complete: ${folder} has no ${completeMarker}`,
    fix: "wait until the extraction has finished, or pass --no-require-marker",
  };
}

function missingTargets(name: string, folder: string): Problem {
  return {
    what: `no targets table: ${folder} has no ${name}${tableSuffix}`,
    fix: "extract the targets, or name their table with --targets",
    table: name,
  };
}

function compareWithExpected(tables: readonly InputFile[], expected: Expected): Problem[] {
  if (expected === undefined) return [];
  if (typeof expected === "number") return compareCount(expected, tables.length);
  const names = new Set(expected.names);
  const found = new Set(tables.map(({ table }) => table));
  const missing = expected.names.filter((name) => !found.has(name));
  const surplus = [...found].filter((name) => !names.has(name));
  const remove = `remove it, or add it to ${expected.path}`;
  return [
    ...missing.map((table) => ({ what: "table missing", fix: "extract this table", table })),
    ...surplus.map((table) => ({ what: "table not expected", fix: remove, table })),
  ];
}

/** A pattern that matches nothing is more likely misspelt than meant. */
function findUnmatched(patterns: readonly string[], tables: readonly InputFile[], pair: string): Problem[] {
  const unmatched = patterns.filter((pattern) => !tables.some(({ table }) => matches(pattern, table, pair)));
  return unmatched.map((pattern) => ({
    what: `no table matches ${pattern} of --tables`,
    fix: "correct the pattern, or leave it out",
  }));
}

function compareCount(expected: number, found: number): Problem[] {
  if (found === expected) return [];
  const fix =
    found < expected
      ? "extract the missing tables; --expect-tables FILE with a list of names says which ones"
      : "remove the tables that do not belong there, or correct --expect-tables";
  return [{ what: `${expected} tables expected, targets included`, found: `${found} tables`, fix }];
}
