import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turnEventLoop } from "node:timers/promises";
import { completeMarker } from "../model/checkpoint.ts";
import { type TableColumn, writeTable } from "../parquet/table-writer.ts";
import { chooseDefects, damageRows, type Rows } from "./defects.ts";
import type { Market } from "./market.ts";
import type { SampleOptions } from "./options.ts";
import { listFolder, type PairRecord, recipeOf, recordPair } from "./record.ts";
import { computeColumns, draftTables, type TableDraft } from "./tables.ts";
import { computeTargets } from "./targets.ts";

/** A Parquet file that is not computed yet. */
interface FileDraft {
  readonly name: string;
  readonly computeColumns: () => TableColumn[];
}

/**
 * Writes the checkpoint of one pair, with one table in memory at a time. It has a hidden name that becomes `<out>/<pair>` once
 * it is complete, and is removed if it is stopped before. `onTable` is called after each file.
 */
export async function writeCheckpoint(
  options: SampleOptions,
  market: Market,
  pair: string,
  onTable: () => void,
): Promise<void> {
  const partial = join(options.out, `.${pair}.partial`);
  const drafts = draftTables(market, pair, options.tables);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  try {
    const bytes = await writeFiles(draftFiles(options, market, pair, drafts), partial, options.signal, onTable);
    await writeFile(join(partial, completeMarker), "");
    // The record is written first: after a kill in between, the pair is written again and not refused as unknown.
    await recordPair(options.out, pair, { ...describe(options, market, drafts), bytes });
    await publish(partial, join(options.out, pair));
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

function describe(options: SampleOptions, market: Market, drafts: readonly TableDraft[]): Omit<PairRecord, "bytes"> {
  const columns = drafts.reduce((sum, draft) => sum + draft.columns.length, 0);
  const { rows, syntheticRows } = market;
  return { recipe: recipeOf(options), tables: drafts.length + 1, columns, rows, syntheticRows };
}

/** Writes the files one after the other; returns their size in bytes. */
async function writeFiles(
  files: readonly FileDraft[],
  folder: string,
  signal: AbortSignal | undefined,
  onTable: () => void,
): Promise<number> {
  let bytes = 0;
  for (const file of files) {
    signal?.throwIfAborted();
    const path = join(folder, file.name);
    writeTable(path, file.computeColumns());
    bytes += (await stat(path)).size;
    onTable();
    // Native frames are freed by finalizers, which run only when the event loop turns.
    await turnEventLoop();
  }
  return bytes;
}

function draftFiles(options: SampleOptions, market: Market, pair: string, drafts: readonly TableDraft[]): FileDraft[] {
  const key = { name: "interval_time", values: market.keys };
  const names = drafts.map(({ name }) => name);
  const defects = chooseDefects(names, options, pair);
  const features = drafts.map(({ name, columns }) => {
    const table = `${name}_${pair}`;
    const defect = defects.get(name);
    const compute = (): TableColumn[] => [key, ...computeColumns(columns)];
    const damage = (): Rows | undefined =>
      defect === undefined ? undefined : damageRows(market.keys, defect, `${table} ${options.seed}`);
    return { name: `${table}.parquet`, computeColumns: () => pickRows(compute(), damage()) };
  });
  return [...features, { name: "targets.parquet", computeColumns: () => [key, ...computeTargets(market, pair)] }];
}

/** The columns with these rows; unchanged if there are none. */
function pickRows(columns: readonly TableColumn[], rows: Rows | undefined): TableColumn[] {
  if (rows === undefined) return [...columns];
  return columns.map(({ name, values }) => ({
    name,
    values: values instanceof Float64Array ? pick(values, rows.sources) : rows.keys,
  }));
}

function pick(values: Float64Array, sources: Int32Array): Float64Array {
  const picked = new Float64Array(sources.length);
  for (const [row, source] of sources.entries()) picked[row] = values[source] ?? Number.NaN;
  return picked;
}

/** Gives the folder its final name. A folder that had this name is removed only after that. */
async function publish(partial: string, folder: string): Promise<void> {
  const replaced = `${partial}.replaced`;
  await rm(replaced, { recursive: true, force: true });
  if ((await listFolder(folder)).length > 0) await rename(folder, replaced);
  await rename(partial, folder);
  await rm(replaced, { recursive: true, force: true });
}
