import { mkdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, failOn, type Problem } from "../model/failure.ts";
import { formatBytes, formatNumber } from "../model/units.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { createMarket } from "./market.ts";
import type { SampleOptions } from "./options.ts";
import { loadRates } from "./rates.ts";
import { isWritten, listFolder, type PairRecord, readRecord, recipeOf, type SampleRecord } from "./record.ts";
import { targetColumns } from "./targets.ts";
import { fullTables, widthsOf } from "./widths.ts";

/** The result of `widemerge sample`. */
export interface SampleSummary {
  readonly out: string;
  readonly pairs: readonly PairSummary[];
  readonly seconds: number;
}

interface PairSummary extends Omit<PairRecord, "recipe"> {
  readonly pair: string;
  readonly folder: string;
  /** False if it existed already, made with the same options. */
  readonly written: boolean;
}

type Progress = (done: number, total: number) => void;

/**
 * Writes the checkpoints of all pairs, except those that exist already, made with the same options. Memory holds the rates
 * and one table. `onProgress` counts Parquet files. @throws Failure (usage), before anything is written, if a pair's folder
 * contains something else and `force` is not set; Failure (input) if the disk is too small.
 */
export async function writeSample(options: SampleOptions, onProgress: Progress = () => {}): Promise<SampleSummary> {
  const started = performance.now();
  await makeFolder(options.out);
  const missing = await findMissing(options, await readRecord(options.out));
  await checkRoom(options, missing.length);
  const market = createMarket(await loadRates(), options.rows, options.seed);
  const total = missing.length * (1 + (options.tables === "full" ? fullTables : options.tables));
  let done = 0;
  for (const pair of missing) {
    await writeCheckpoint(options, market, pair, () => onProgress(++done, total));
  }
  const { pairs } = await readRecord(options.out);
  const summaries = options.pairs.map((pair) => summarize(options.out, pair, pairs[pair], missing.includes(pair)));
  return { out: options.out, pairs: summaries, seconds: (performance.now() - started) / 1000 };
}

async function makeFolder(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && (cause.code === "EEXIST" || cause.code === "ENOTDIR")))
      throw cause;
    const problem = { what: `--out ${out} is not a folder`, found: "a file", fix: "name another folder" };
    throw new Failure(ExitCode.usage, [problem], { cause });
  }
}

/** The pairs that are not written yet. */
async function findMissing(options: SampleOptions, record: SampleRecord): Promise<string[]> {
  const problems: Problem[] = [];
  const missing: string[] = [];
  for (const pair of options.pairs) {
    const folder = join(options.out, pair);
    if (await isWritten(folder, record.pairs[pair], recipeOf(options))) continue;
    missing.push(pair);
    const names = options.force ? [] : await listFolder(folder);
    if (names.length === 0) continue;
    const fix = "choose another --out, or replace it with --force";
    problems.push({ what: `${folder} exists, made with other flags`, found: formatNumber(names.length, "file"), fix });
  }
  failOn(ExitCode.usage, problems);
  return missing;
}

/** Refuses a sample that the disk cannot hold: all pairs at the full size have hundreds of gigabytes. */
async function checkRoom({ out, tables, rows }: SampleOptions, pairs: number): Promise<void> {
  const columns = widthsOf(tables).reduce((sum, width) => sum + width + 1, targetColumns + 1);
  const needed = pairs * rows * columns * Float64Array.BYTES_PER_ELEMENT;
  const disk = await statfs(out);
  const free = disk.bavail * disk.bsize;
  if (needed <= free) return;
  const fix = `make room for ${formatBytes(needed)}, or ask for fewer pairs, tables or rows`;
  throw new Failure(ExitCode.input, [
    { what: `not enough disk space for ${out}`, found: `${formatBytes(free)} free`, fix },
  ]);
}

function summarize(out: string, pair: string, record: PairRecord | undefined, written: boolean): PairSummary {
  if (record === undefined) throw new Error(`${pair} is not in the record of ${out}`);
  const { recipe: _, ...counts } = record;
  return { pair, folder: join(out, pair), written, ...counts };
}
