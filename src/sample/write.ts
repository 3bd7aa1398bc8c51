import { mkdir, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turnEventLoop } from "node:timers/promises";
import { ExitCode } from "../contract/exit.ts";
import { Failure, failOn, type Problem } from "../contract/failure.ts";
import { formatBytes } from "../contract/units.ts";
import { type TableColumn, writeTable } from "../parquet/table.ts";
import { computeColumns, draftTables, type TableDraft } from "./catalogue.ts";
import { isThere, type Ledger, listFolder, type PairRecord, readLedger, recipeOf, recordPair } from "./ledger.ts";
import { createMarket, type Market } from "./market.ts";
import type { SampleOptions } from "./options.ts";
import { loadRates } from "./rates.ts";
import { blemish, chooseBlemished } from "./rows.ts";
import { computeTargets } from "./targets.ts";
import { fullColumns, fullTables, modestWidths } from "./widths.ts";

/** What a sample run left behind. */
export interface SampleSummary {
  readonly out: string;
  readonly pairs: readonly PairSummary[];
  readonly seconds: number;
}

export interface PairSummary extends Omit<PairRecord, "recipe"> {
  readonly pair: string;
  readonly folder: string;
  /** False where it was there already, from the same options. */
  readonly written: boolean;
}

type Progress = (done: number, total: number) => void;

/**
 * Writes the checkpoints of every pair that is not there already, each under a hidden name until it is complete. Memory is
 * bounded by the rates and one table. Throws a usage Failure, before anything is written, where a pair's folder holds
 * something else; `onProgress` counts tables.
 */
export async function writeSample(options: SampleOptions, onProgress: Progress = () => {}): Promise<SampleSummary> {
  const started = performance.now();
  const ledger = await readLedger(options.out);
  const missing = await findMissing(options, ledger);
  await checkRoom(options, missing.length);
  const market = createMarket(await loadRates(), options.rows, options.seed);
  const total = missing.length * (1 + (options.tables === "full" ? fullTables : options.tables));
  let done = 0;
  for (const pair of missing) {
    await writePair(options, market, pair, () => onProgress(++done, total));
  }
  const { pairs } = await readLedger(options.out);
  const summaries = options.pairs.map((pair) => summarize(options.out, pair, pairs[pair], missing.includes(pair)));
  return { out: options.out, pairs: summaries, seconds: (performance.now() - started) / 1000 };
}

/** The pairs still to write. */
async function findMissing(options: SampleOptions, ledger: Ledger): Promise<string[]> {
  const problems: Problem[] = [];
  const missing: string[] = [];
  for (const pair of options.pairs) {
    const folder = join(options.out, pair);
    if (await isThere(folder, ledger.pairs[pair], recipeOf(options))) continue;
    missing.push(pair);
    const names = options.force ? [] : await listFolder(folder);
    if (names.length === 0) continue;
    const fix = "choose another --out, or add --force to replace it";
    problems.push({ what: `${folder} holds something else`, found: `${names.length} files`, fix });
  }
  failOn(ExitCode.usage, problems);
  return missing;
}

/** Refuses what the disk cannot hold: a full run of all pairs is hundreds of gigabytes. */
async function checkRoom({ out, tables, rows }: SampleOptions, pairs: number): Promise<void> {
  await mkdir(out, { recursive: true });
  const columns = tables === "full" ? fullColumns : modestWidths(tables).reduce((sum, width) => sum + width, 0);
  const needed = pairs * rows * (columns + 49) * Float64Array.BYTES_PER_ELEMENT;
  const disk = await statfs(out);
  const free = disk.bavail * disk.bsize;
  if (needed <= free) return;
  const fix = `free ${formatBytes(needed)}, or ask for fewer pairs, tables or rows`;
  throw new Failure(ExitCode.input, [{ what: `not enough disk space for ${out}`, found: formatBytes(free), fix }]);
}

async function writePair(options: SampleOptions, market: Market, pair: string, onTable: () => void): Promise<void> {
  const partial = join(options.out, `.${pair}.partial`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  try {
    const written = await writeTables(options, market, pair, partial, onTable);
    await writeFile(join(partial, "_COMPLETE"), "");
    await publish(partial, join(options.out, pair));
    const { rows, syntheticRows } = market;
    await recordPair(options.out, pair, { recipe: recipeOf(options), ...written, rows, syntheticRows });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Writes every Parquet file of a pair into the folder, one after the other. */
async function writeTables(
  options: SampleOptions,
  market: Market,
  pair: string,
  folder: string,
  onTable: () => void,
): Promise<{ tables: number; columns: number; bytes: number }> {
  const drafts = draftTables(market, pair, options.tables);
  let bytes = 0;
  for (const [file, columns] of pairTables(options, market, pair, drafts)) {
    options.signal?.throwIfAborted();
    writeTable(join(folder, file), columns());
    bytes += (await stat(join(folder, file))).size;
    onTable();
    // Native frames are freed by finalizers, which run only when the event loop turns.
    await turnEventLoop();
  }
  const columns = drafts.reduce((sum, draft) => sum + draft.columns.length, 0);
  return { tables: drafts.length + 1, columns, bytes };
}

/** File name and columns of each table; the columns are computed when they are asked for. */
function* pairTables(
  options: SampleOptions,
  market: Market,
  pair: string,
  drafts: readonly TableDraft[],
): Generator<[string, () => TableColumn[]]> {
  const key = { name: "interval_time", values: market.keys };
  const { misaligned, duplicated } = chooseBlemished(drafts.length, options, pair);
  for (const [index, draft] of drafts.entries()) {
    const table = `${draft.name}_${pair}`;
    const [misalignment, repeats] = [misaligned.get(index), duplicated.has(index)];
    const columns = (): TableColumn[] => {
      if (misalignment === undefined && !repeats) return [key, ...computeColumns(draft.columns)];
      const { keys, sources } = blemish(market.keys, misalignment, repeats, `${table} ${options.seed}`);
      const picked = [...computeColumns(draft.columns)].map(({ name, values }) => ({ name, values: pick(values, sources) }));
      return [{ name: key.name, values: keys }, ...picked];
    };
    yield [`${table}.parquet`, columns];
  }
  yield ["targets.parquet", () => [key, ...computeTargets(market, pair)]];
}

function pick(values: Float64Array, sources: Int32Array): Float64Array {
  return Float64Array.from(sources, (source) => values[source] ?? Number.NaN);
}

/** Gives the folder its final name; what was there under it goes away only after that. */
async function publish(partial: string, folder: string): Promise<void> {
  const replaced = `${partial}.replaced`;
  if ((await listFolder(folder)).length > 0) await rename(folder, replaced);
  await rename(partial, folder);
  await rm(replaced, { recursive: true, force: true });
}

function summarize(out: string, pair: string, record: PairRecord | undefined, written: boolean): PairSummary {
  if (record === undefined) throw new Error(`${pair} is not in the ledger of ${out}`);
  const { recipe: _, ...counts } = record;
  return { pair, folder: join(out, pair), written, ...counts };
}
