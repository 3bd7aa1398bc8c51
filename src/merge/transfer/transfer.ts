import type { Plan, TablePlan } from "../../model/plan.ts";
import { MiB } from "../../model/units.ts";
import { version } from "../../model/version.ts";
import { Scratch } from "../../parquet/buffer-pool.ts";
import { crc32c, formatCrc32c } from "../../store/crc32c.ts";
import type { OpenFile, Stage, Written } from "../../store/store.ts";
import type { Checked } from "../inspect/preflight.ts";
import type { Inspected } from "../inspect/table.ts";
import type { Job } from "../job.ts";
import { alignTable } from "./align.ts";
import { batchBytes } from "./batches.ts";
import { BlockPool } from "./blocks.ts";
import { Output } from "./output.ts";
import { linkTable, spliceTable } from "./splice.ts";

/** The merged output without its footer, and the CRC32C of every input in plan order. */
export interface Merged {
  readonly output: Output;
  readonly checksums: readonly string[];
}

interface Step {
  readonly table: Inspected;
  readonly plan: TablePlan;
  readonly isTargets: boolean;
}

/** Splices or aligns every table of the plan into the stage, one after the other. */
export async function mergeTables(job: Job, checked: Checked, plan: Plan, stage: Stage): Promise<Merged> {
  const steps = toSteps(checked, plan);
  const output = new Output(stage, plan.rowGroups);
  const context: Context = {
    job,
    checked,
    plan,
    output,
    pool: new BlockPool(),
    buffers: [new Scratch(), new Scratch()],
  };
  const checksums: string[] = [];
  const progress = new Progress(job, plan);
  let ahead: Promise<Fetched> | undefined;
  try {
    for (const [index, step] of steps.entries()) {
      job.port.signal.throwIfAborted();
      const fetched = await (ahead ?? fetch(context, step));
      const next = steps[index + 1];
      ahead = next === undefined || !canFetchAhead(job, next) ? undefined : fetch(context, next);
      // A failure of this table must not leave a rejection behind that nobody awaits.
      ahead?.catch(() => undefined);
      checksums.push(formatCrc32c(await mergeTable(context, step, fetched)));
      progress.add(step.plan);
    }
    await output.drain();
    return { output, checksums };
  } finally {
    // A table that was fetched and not merged stays open no longer than this.
    await ahead?.then(release, () => undefined);
  }
}

/** Appends the new footer and waits until everything is durable. */
export async function finishOutput(plan: Plan, merged: Merged, stage: Stage): Promise<Written> {
  const footer = merged.output.footer.build(`widemerge version ${version}`, {
    "widemerge.pair": plan.pair,
    "widemerge.digest": plan.digest,
  });
  await merged.output.append(footer);
  await merged.output.drain();
  return stage.finish();
}

interface Context {
  readonly job: Job;
  readonly checked: Checked;
  readonly plan: Plan;
  readonly output: Output;
  readonly pool: BlockPool;
  /** For whole files: the table at work, and the next one. */
  readonly buffers: [Scratch, Scratch];
}

function toSteps(checked: Checked, plan: Plan): Step[] {
  const tables = [checked.targets, ...checked.features.map(({ table }) => table)];
  return tables.flatMap((table, index) => {
    const own = plan.tables[index];
    return own === undefined ? [] : [{ table, plan: own, isTargets: index === 0 }];
  });
}

/** A table that is ready to be merged: open, to be spliced; in memory, to be aligned; or to be taken as it lies. */
type Fetched = { readonly opened: OpenFile } | { readonly bytes: Uint8Array } | { readonly linked: string };

/** Larger tables are not read ahead: two of them at once would set the peak. */
export const prefetchBytes = 64 * MiB;

function canFetchAhead(job: Job, { plan }: Step): boolean {
  return plan.action === "splice" || (!job.port.slowed && plan.file.size <= prefetchBytes);
}

/** Storage works on the next table while this one is copied or computed. */
async function fetch(context: Context, step: Step): Promise<Fetched> {
  if (isLinked(context.plan, step.plan)) return { linked: step.table.file.crc32c ?? "" };
  if (step.plan.action === "splice") return { opened: await context.job.store.open(step.table.file) };
  return { bytes: await readWhole(context, step) };
}

function isLinked(plan: Plan, table: TablePlan): boolean {
  return plan.assembly.how === "compose" && table.action === "splice";
}

async function release(fetched: Fetched): Promise<void> {
  if ("opened" in fetched) await fetched.opened.close();
}

async function mergeTable(context: Context, step: Step, fetched: Fetched): Promise<number> {
  if ("bytes" in fetched) return mergeFetched(context, step, fetched.bytes);
  const { job, output, pool } = context;
  if ("linked" in fetched) {
    linkTable(step.table, step.plan, step.isTargets, output);
    return Number.parseInt(fetched.linked, 16);
  }
  try {
    return await spliceTable(fetched.opened, step.table, step.plan, step.isTargets, output, pool, job.port.signal);
  } finally {
    await release(fetched);
  }
}

/** Into the buffer that the table before the last one used; large tables, which are never two at once, share one. */
async function readWhole({ job, buffers }: Context, step: Step): Promise<Uint8Array> {
  if (step.plan.file.size > prefetchBytes && buffers[1].size > buffers[0].size) buffers.reverse();
  const [buffer, other] = buffers;
  buffers.splice(0, 2, other, buffer);
  buffer.reset();
  const opened = await job.store.open(step.table.file);
  try {
    return await opened.read(0, opened.size, buffer.take(opened.size));
  } finally {
    await opened.close();
  }
}

async function mergeFetched({ checked, plan, job, output }: Context, step: Step, bytes: Uint8Array): Promise<number> {
  const options = {
    targetsKey: checked.targetsKey,
    duplicates: job.settings.duplicates,
    layout: plan.rowGroups,
    isTargets: step.isTargets,
    batchBytes: job.port.slowed ? batchBytes / 4 : batchBytes,
    signal: job.port.signal,
  };
  await alignTable(bytes, step.table, step.plan, options, output);
  return crc32c(bytes);
}

class Progress {
  private readonly job: Job;
  private readonly plan: Plan;
  private tables = 0;
  private bytes = 0;

  constructor(job: Job, plan: Plan) {
    this.job = job;
    this.plan = plan;
  }

  add(table: TablePlan): void {
    this.tables += 1;
    this.bytes += isLinked(this.plan, table) ? 0 : table.file.size;
    this.job.port.emit({
      type: "progress",
      stage: "merge",
      tablesDone: this.tables,
      tables: this.plan.tables.length,
      bytesDone: this.bytes,
      bytesTotal: this.plan.readBytes,
    });
  }
}
