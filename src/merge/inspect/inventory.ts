import { completeMarker, listTables, parseExpected, tableSuffix } from "../../model/checkpoint.ts";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure, type Problem } from "../../model/failure.ts";
import type { InputFile } from "../../model/plan.ts";
import type { CheckpointSettings } from "../../model/settings.ts";
import type { PairContext } from "../context.ts";
import type { ListedTable } from "../table.ts";

/** What lies in a checkpoint folder: the targets, the feature tables by name, and what is wrong with the set. */
export interface Inventory {
  readonly targets: ListedTable | undefined;
  readonly features: readonly ListedTable[];
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
      { what: `no checkpoint of ${pair}`, found: `no folder ${folder}`, fix: "check --input and the pair's name" },
    ]);
  }
  const tables = listTables(files).map((file) => ({ file, isTargets: file.table === settings.targets }));
  const targets = tables.find(({ isTargets }) => isTargets);
  const expected = await readExpected({ store, pair }, settings.expectTables);
  const problems = [
    ...(settings.requireMarker && !files.some((file) => file.name === completeMarker) ? [missingMarker(folder)] : []),
    ...(targets === undefined ? [missingTargets(settings.targets, folder)] : []),
    ...compareWithExpected(
      tables.map(({ file }) => file),
      expected,
    ),
  ];
  return { targets, features: tables.filter(({ isTargets }) => !isTargets), problems };
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
  throw new Failure(ExitCode.usage, [
    {
      what: "no list of expected tables",
      found: `no file ${expected}`,
      fix: "give a number or an existing file to --expect-tables",
    },
  ]);
}

function missingMarker(folder: string): Problem {
  return {
    what: "the checkpoint is not marked complete",
    found: `no ${completeMarker} in ${folder}`,
    fix: "wait until the extraction is over, or pass --no-require-marker",
  };
}

function missingTargets(name: string, folder: string): Problem {
  return {
    what: "no targets table",
    found: `no ${name}${tableSuffix} in ${folder}`,
    fix: "extract the targets, or name their table with --targets",
    table: name,
  };
}

function compareWithExpected(tables: readonly InputFile[], expected: Expected): Problem[] {
  if (expected === undefined) return [];
  if (typeof expected === "number") return compareCount(expected, tables.length);
  const names = new Set(expected.names);
  const found = new Set(tables.map(({ table }) => table));
  return [
    ...[...names]
      .filter((name) => !found.has(name))
      .map((table) => ({
        what: "table missing",
        found: "no such file",
        fix: "extract this table",
        table,
      })),
    ...[...found]
      .filter((name) => !names.has(name))
      .map((table) => ({
        what: "table not expected",
        found: `${table}${tableSuffix}`,
        fix: `remove it, or add it to ${expected.path}`,
        table,
      })),
  ];
}

function compareCount(expected: number, found: number): Problem[] {
  if (found === expected) return [];
  const fix =
    found < expected
      ? "extract the missing tables; --expect-tables FILE with a list of names says which ones"
      : "remove the tables that do not belong there, or correct --expect-tables";
  return [{ what: `${expected} tables expected, targets included`, found: `${found} tables`, fix }];
}
