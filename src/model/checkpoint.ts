import { fillIn, namesOf, type PairNames } from "./folders.ts";
import type { ListedInput } from "./plan.ts";
import type { CheckpointSettings } from "./settings.ts";
import { isChosen } from "./table-choice.ts";
import { formatNumber } from "./units.ts";

/** The extension of a table's file. */
export const tableSuffix = ".parquet";
/** The empty file that marks a checkpoint as complete. */
export const completeMarker = "_COMPLETE";

/** A file of a checkpoint folder, as listed by a store. */
export type ListedFile = Omit<ListedInput, "table"> & { readonly name: string };

/** The tables among the files of a checkpoint folder, including the targets. */
export function listTables(files: readonly ListedFile[]): readonly ListedInput[] {
  return files
    .filter(({ name }) => name.endsWith(tableSuffix))
    .map(({ name, ...file }) => ({ ...file, table: name.slice(0, -tableSuffix.length) }));
}

/** The tables that are merged, and the names of those that the settings leave out. The targets are always merged. */
export function chooseTables(
  tables: readonly ListedInput[],
  pair: string,
  settings: CheckpointSettings,
): { readonly chosen: readonly ListedInput[]; readonly excluded: readonly string[] } {
  const names = namesOf(settings.folders, pair);
  const isMerged = ({ table }: ListedInput): boolean => table === settings.targets || isChosen(settings, table, names);
  const excluded = tables.filter((file) => !isMerged(file)).map(({ table }) => table);
  return { chosen: tables.filter(isMerged), excluded };
}

/** Names of files that other programs take for Parquet. */
const looksLikeTable = /\.(parquet|parq|pq)$/i;

/** Whether something in a checkpoint's folder has the name of a table, but cannot be taken as one. */
export function isUntakenTable(name: string, isFile: boolean): boolean {
  return looksLikeTable.test(name) && !(isFile && name.endsWith(tableSuffix));
}

/** The name of the table that a file or folder may have been meant as: without its extension. */
export function tableOf(name: string): string {
  return name.replace(/\/$/, "").replace(looksLikeTable, "");
}

/** Whether a folder holds one table in several files, as Spark and Hive write it. */
export function holdsTable(files: readonly string[], folders: readonly string[]): boolean {
  return files.some((name) => looksLikeTable.test(name)) || folders.some((name) => /^[^=]+=/.test(name));
}

/**
 * The reason why a checkpoint is not complete; undefined when it is. `expected` is the content of the file that lists the
 * expected tables, if the settings name one.
 */
export function findGap(
  pair: string,
  files: readonly ListedFile[],
  settings: CheckpointSettings,
  expected?: string,
): string | undefined {
  const found = new Set(listTables(files).map(({ table }) => table));
  if (settings.requireMarker && !files.some(({ name }) => name === completeMarker)) return `no ${completeMarker}`;
  if (!found.has(settings.targets)) return `no ${settings.targets}${tableSuffix}`;
  if (typeof settings.expectTables === "number" && found.size !== settings.expectTables)
    return `${formatNumber(settings.expectTables, "table")} expected, ${found.size} found`;
  if (expected === undefined) return undefined;
  const names = new Set(parseExpected(expected, namesOf(settings.folders, pair), found));
  const missing = [...names].find((name) => !found.has(name));
  if (missing !== undefined) return `${missing} is missing`;
  const surplus = [...found].find((name) => !names.has(name));
  return surplus === undefined ? undefined : `${surplus} is not expected`;
}

/**
 * Table names, one per line, with or without ".parquet". "#" starts a comment. "{pair}" stands for the pair, or for its folder where a
 * table of that name was `found`.
 */
export function parseExpected(text: string, pair: PairNames, found: ReadonlySet<string>): readonly string[] {
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const names = fillIn(line.replace(/\.parquet$/, ""), pair);
      return names.find((name) => found.has(name)) ?? names[0] ?? line;
    });
}
