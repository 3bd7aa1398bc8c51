import pMap from "p-map";
import { ExitCode } from "../../model/exit-code.ts";
import { failOn, type Problem } from "../../model/failure.ts";
import type { InputFile } from "../../model/plan.ts";
import { Scratch, ScratchPool } from "../../parquet/buffer-pool.ts";
import { releaseFrames, type Series } from "../../parquet/polars.ts";
import { type Job, outputPaths } from "../job.ts";
import type { Inventory } from "./inventory.ts";
import type { ProvenTable } from "./keys.ts";
import { checkTargetsKey, decodeKey, proveKey } from "./keys.ts";
import type { Inspected } from "./table.ts";
import { type InspectedKey, inspectTable } from "./table.ts";

/** Tables opened at once: enough to keep storage busy, few enough that their key chunks are small change. */
const tablesAtOnce = 8;
/** A request to a bucket takes tens of milliseconds, whatever its size. */
export const remoteTablesAtOnce = 16;

/** A checkpoint that can be merged, with the targets' decoded key. */
export interface Checked {
  readonly targets: Inspected;
  readonly targetsKey: Series;
  readonly features: readonly ProvenTable[];
}

/**
 * Reads footers, page headers and key columns of every table, and nothing else in bulk.
 * @throws Failure (input) that lists every problem of the checkpoint and of the output folder.
 */
export async function runPreflight(job: Job, inventory: Inventory): Promise<Checked> {
  const problems = [...inventory.problems, ...(await checkOutputFolder(job))];
  const targets = inventory.targets === undefined ? undefined : await inspectTargets(job, inventory.targets, problems);
  const features: ProvenTable[] = [];
  const scratches = new ScratchPool();
  await pMap(
    inventory.features,
    async (file, index) => {
      job.port.signal.throwIfAborted();
      const checked = await checkFeature(job, file, targets, scratches);
      if ("proof" in checked) features[index] = checked;
      else problems.push(...checked);
      if (index % 50 === 0) reportTables(job, index, inventory.features.length);
      // What arrived over the network is garbage outside the collector's own heap, which it does not see grow.
      if (index % 50 === 0 && job.store.traffic() !== undefined) globalThis.gc?.();
    },
    { concurrency: job.store.traffic() === undefined ? tablesAtOnce : remoteTablesAtOnce },
  );
  failOn(ExitCode.input, problems);
  if (targets === undefined) throw new Error("no targets and no problem");
  return { targets: targets.table, targetsKey: targets.series, features };
}

type Targets = InspectedKey & { readonly series: Series };

async function inspectTargets(job: Job, file: InputFile, problems: Problem[]): Promise<Targets | undefined> {
  // A scratch of its own: the targets' key stays until every table is compared with it.
  const targets = await inspectTable(job.store, file, job.settings.key, new Scratch());
  if (!("table" in targets)) {
    problems.push(...targets);
    return undefined;
  }
  const series = decodeKey(targets);
  if ("what" in series) {
    problems.push(series);
    return undefined;
  }
  problems.push(...checkTargetsKey(targets.table, series));
  return { ...targets, series };
}

async function checkFeature(
  job: Job,
  file: InputFile,
  targets: Targets | undefined,
  scratches: ScratchPool,
): Promise<ProvenTable | readonly Problem[]> {
  return scratches.lend(async (scratch) => {
    const entry = await inspectTable(job.store, file, job.settings.key, scratch);
    if (!("table" in entry)) return entry;
    // Without targets there is nothing to compare with; the table's own problems are still worth telling.
    if (targets === undefined) return [];
    const proof = proveKey(entry, targets, targets.series, job.settings.duplicates);
    if (!("how" in proof)) return proof;
    if (proof.how !== "same bytes") await releaseFrames();
    return { table: entry.table, proof };
  });
}

async function checkOutputFolder(job: Job): Promise<Problem[]> {
  const why = await job.store.checkWritable(job.settings.output);
  if (why === undefined) return [];
  return [
    {
      what: "the output folder cannot be written",
      found: why,
      fix: `make sure that ${job.settings.output} is there and may be written to, or choose another --output`,
    },
  ];
}

function reportTables(job: Job, tablesDone: number, tables: number): void {
  job.port.emit({ type: "progress", stage: "preflight", tablesDone, tables, bytesDone: 0, bytesTotal: 0 });
}

/** The output has to fit where it goes. @throws Failure (input) with what is needed and what is free. */
export async function checkDisk(job: Job, outputBytes: number): Promise<void> {
  const needed = job.settings.diskFree === "auto" ? outputBytes : Math.max(outputBytes, job.settings.diskFree);
  const free = await job.store.freeBytes(job.settings.output);
  if (free === undefined || free >= needed) return;
  const { output } = outputPaths(job);
  failOn(ExitCode.input, [
    {
      what: `not enough disk space for ${output}`,
      found: `${free} bytes free, ${needed} needed`,
      fix: "free space, or choose another --output",
    },
  ]);
}
