import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { completeMarker } from "../model/checkpoint.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import type { SampleOptions } from "./options.ts";
import { ratesSource } from "./rates.ts";

/** The options that determine the bytes of a pair, and the version of the generator. */
export type SampleRecipe = Pick<SampleOptions, "tables" | "rows" | "misaligned" | "duplicates" | "seed"> & {
  readonly generator: 1;
};

/** What was written for one pair. */
export interface PairRecord {
  readonly recipe: SampleRecipe;
  /** Parquet files, targets included. */
  readonly tables: number;
  /** Columns of the feature tables, keys not counted. */
  readonly columns: number;
  /** Rows of the targets. */
  readonly rows: number;
  readonly syntheticRows: number;
  /** Bytes of all files. */
  readonly bytes: number;
}

/** <out>/sample.json: how each pair was made. It is not in the checkpoint folders, which contain only what real ones contain. */
export interface SampleRecord {
  readonly source: string;
  readonly pairs: Readonly<Record<string, PairRecord>>;
}

const recordName = "sample.json";

/** The recipe of these options. */
export function recipeOf({ tables, rows, misaligned, duplicates, seed }: SampleOptions): SampleRecipe {
  return { generator: 1, tables, rows, misaligned, duplicates, seed };
}

/** The record of a folder; an empty one if there is none. */
export async function readRecord(out: string): Promise<SampleRecord> {
  const text = await readFile(join(out, recordName), "utf8").catch(emptyIfMissing);
  if (text === "") return { source: ratesSource, pairs: {} };
  const record = parseRecord(text);
  if (typeof record?.pairs === "object" && record.pairs !== null) return record as SampleRecord;
  const problem = { what: `${join(out, recordName)} is not a record of samples`, found: text.slice(0, 40) };
  throw new Failure(ExitCode.usage, [{ ...problem, fix: "choose another --out, or remove that file" }]);
}

/** Adds a pair; the file is replaced as a whole. */
export async function recordPair(out: string, pair: string, written: PairRecord): Promise<void> {
  const { pairs } = await readRecord(out);
  const sorted = Object.entries({ ...pairs, [pair]: written }).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const record: SampleRecord = { source: ratesSource, pairs: Object.fromEntries(sorted) };
  const staged = join(out, `.${recordName}.partial`);
  await writeFile(staged, `${JSON.stringify(record, undefined, 2)}\n`);
  await rename(staged, join(out, recordName));
}

/** Whether the folder contains what this recipe would write, judged by its record, the number of files and their size. */
export async function isWritten(
  folder: string,
  record: PairRecord | undefined,
  recipe: SampleRecipe,
): Promise<boolean> {
  if (record === undefined || !isDeepStrictEqual(record.recipe, recipe)) return false;
  const names = await listFolder(folder);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return names.includes(completeMarker) && names.length === record.tables + 1 && bytes === record.bytes;
}

function parseRecord(text: string): Partial<SampleRecord> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names in a folder; none if the folder does not exist. */
export async function listFolder(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    emptyIfMissing(error);
    return [];
  });
}

function emptyIfMissing(error: unknown): string {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
  throw error;
}
