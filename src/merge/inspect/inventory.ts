import pMap from "p-map";
import {
  chooseTables,
  completeMarker,
  holdsTable,
  isUntakenTable,
  listTables,
  parseExpected,
  tableOf,
  tableSuffix,
} from "../../model/checkpoint.ts";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure, type Problem } from "../../model/failure.ts";
import { folderOf, namesOf, type PairNames } from "../../model/folders.ts";
import type { InputFile } from "../../model/plan.ts";
import type { CheckpointSettings } from "../../model/settings.ts";
import { quoteForShell } from "../../model/shell.ts";
import { isChosen, matches } from "../../model/table-choice.ts";
import { formatNumber } from "../../model/units.ts";
import type { FolderContent, Store } from "../../store/store.ts";
import type { PairContext } from "../context.ts";
import type { ListedTable } from "../table.ts";

/** What lies in a checkpoint folder: the targets and the feature tables to merge, by name, and what is wrong with the set. */
export interface Inventory {
  readonly targets: ListedTable | undefined;
  readonly features: readonly ListedTable[];
  /** Names of the tables that the settings leave out, and of what they keep from being refused. */
  readonly excluded: readonly string[];
  /** Names of everything else in the folder, but for the marker. */
  readonly ignored: readonly string[];
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
  const folder = store.join(settings.input, folderOf(settings.folders, pair));
  const content = await store.listAll(folder);
  if (content === undefined) {
    throw new Failure(ExitCode.input, [
      {
        what: `no checkpoint of ${pair} in ${settings.input}`,
        fix: "check --input and the pair's name, or name its folder with --folders",
      },
    ]);
  }
  const { files } = content;
  const found = listTables(files);
  const { chosen, excluded } = chooseTables(found, pair, settings);
  const names = namesOf(settings.folders, pair);
  const others = await sortOthers(store, folder, content);
  const untaken = others.untaken.filter(({ name }) => isChosen(settings, tableOf(name), names));
  const left = others.untaken.filter((one) => !untaken.includes(one)).map(({ name }) => name);
  const tables = chosen.map((file) => ({ file, isTargets: file.table === settings.targets }));
  const targets = tables.find(({ isTargets }) => isTargets);
  const expected = await readExpected(store, settings.expectTables, names, found);
  const problems = [
    ...(settings.requireMarker && !files.some((file) => file.name === completeMarker) ? [missingMarker(folder)] : []),
    ...(targets === undefined ? [missingTargets(settings.targets, folder)] : []),
    ...compareWithExpected(found, expected),
    ...findUnmatched(settings.tables, found, names),
    ...untaken.map(refuseUntaken),
  ];
  return {
    targets,
    features: tables.filter(({ isTargets }) => !isTargets),
    excluded: [...excluded, ...left],
    ignored: others.ignored,
    problems,
  };
}

/** Something that looks like a table and cannot be taken as one. */
interface Untaken {
  readonly name: string;
  readonly found: string;
}

/** What lies in a checkpoint's folder beside tables and marker: what is plainly no table, and what looks like one. */
async function sortOthers(
  store: Store,
  folder: string,
  { files, folders, others }: FolderContent,
): Promise<{ readonly ignored: readonly string[]; readonly untaken: readonly Untaken[] }> {
  const strange = files
    .map(({ name }) => name)
    .filter((name) => name !== completeMarker && !name.endsWith(tableSuffix));
  const entries = [
    ...strange.map((name) => ({ name, found: "a file", untaken: isUntakenTable(name, true) })),
    ...others.map(({ name, what, isFolder }) => ({
      name: isFolder ? `${name}/` : name,
      found: what,
      // A folder that cannot be listed may hold tables.
      untaken: isFolder || isUntakenTable(name, false),
    })),
    ...(await pMap(folders, (name) => lookInto(store, folder, name), { concurrency: 8 })),
  ];
  return {
    ignored: entries
      .filter(({ untaken }) => !untaken)
      .map(({ name }) => name)
      .sort(),
    untaken: entries.filter(({ untaken }) => untaken).sort((left, right) => (left.name < right.name ? -1 : 1)),
  };
}

/** A folder is no table; one that holds Parquet files may have been meant as one. Hidden folders belong to other programs. */
async function lookInto(store: Store, folder: string, name: string) {
  const isNamed = isUntakenTable(name, false);
  const content = isNamed || name.startsWith(".") ? undefined : await store.listAll(store.join(folder, name));
  const holds =
    content !== undefined &&
    holdsTable(
      content.files.map((file) => file.name),
      content.folders,
    );
  return { name: `${name}/`, found: "a folder", untaken: isNamed || holds };
}

function refuseUntaken({ name, found }: Untaken): Problem {
  return {
    what: `looks like a table, but cannot be read as one: ${name}`,
    found,
    fix: `each table is one file <table>${tableSuffix}: write it as that, or leave it out with --exclude-tables ${quoteForShell(tableOf(name))}`,
  };
}

/** How many tables are expected, or which ones and which file says so; undefined for any. */
type Expected = number | { readonly path: string; readonly names: readonly string[] } | undefined;

/** @throws Failure (usage) when there is no such list. */
async function readExpected(
  store: Store,
  expected: CheckpointSettings["expectTables"],
  pair: PairNames,
  tables: readonly InputFile[],
): Promise<Expected> {
  if (typeof expected !== "string") return expected;
  const text = await store.readText(expected);
  const found = new Set(tables.map(({ table }) => table));
  if (text !== undefined) return { path: expected, names: parseExpected(text, pair, found) };
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
function findUnmatched(patterns: readonly string[], tables: readonly InputFile[], pair: PairNames): Problem[] {
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
  return [
    { what: `${formatNumber(expected, "table")} expected, targets included`, found: formatNumber(found, "table"), fix },
  ];
}
