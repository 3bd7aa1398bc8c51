import { ExitCode } from "../model/exit-code.ts";
import type { Problem } from "../model/failure.ts";
import { Failure, failOn } from "../model/failure.ts";
import { smallestCeilingMiB } from "../model/guard.ts";
import type { Plan } from "../model/plan.ts";
import type { Manifest, StageTime, WorkerReport } from "../model/result.ts";
import type { Task } from "../model/task.ts";
import { formatMemory, MiB } from "../model/units.ts";
import { overtaken } from "../store/overtaken.ts";
import type { Stage } from "../store/store.ts";
import { type Existing, findExisting, otherOrigin } from "./inspect/existing-output.ts";
import { takeInventory } from "./inspect/inventory.ts";
import { type Checked, checkDisk, runPreflight } from "./inspect/preflight.ts";
import { type Job, outputPaths, StageClock } from "./job.ts";
import { makePlan } from "./plan/plan.ts";
import { makeManifest } from "./publish/manifest.ts";
import { finishOutput, mergeTables } from "./transfer/transfer.ts";
import { verifyTarget } from "./verify/target.ts";
import { type Expectation, verifyOutput } from "./verify/verify.ts";

/** Carries out a task; the stages of a merge, in order. @throws Failure with the exit code of its cause. */
export async function runTask(task: Task, jobOf: (pair: string) => Job): Promise<WorkerReport> {
  switch (task.command) {
    case "merge":
      return { command: "merge", result: await mergeCounted(jobOf(task.pair)) };
    case "plan":
      return { command: "plan", plan: await planPair(jobOf(task.pair)) };
    case "verify":
      return { command: "verify", verification: await verifyTarget(jobOf(task.target), task.target, task.level) };
  }
}

type MergeResult = Extract<WorkerReport, { readonly command: "merge" }>["result"];

async function planPair(job: Job): Promise<Plan> {
  const clock = new StageClock(job.port);
  const inventory = await clock.run("inventory", () => takeInventory(job));
  const checked = await clock.run("preflight", () => runPreflight(job, inventory));
  return clock.run("plan", () => decide(job, checked));
}

/** A merge with what it asked of the service, the removal of its scratch included. */
async function mergeCounted(job: Job): Promise<MergeResult> {
  const result = await mergePair(job);
  const traffic = job.store.traffic();
  if (traffic === undefined) return result;
  return { ...result, bytes: { ...result.bytes, read: traffic.bytesDown }, traffic };
}

async function mergePair(job: Job): Promise<MergeResult> {
  const clock = new StageClock(job.port);
  const { output } = outputPaths(job);
  const inventory = await clock.run("inventory", () => takeInventory(job));
  const existing = await findExisting(job, inventory);
  if (existing.state === "done") {
    // The output may be of exactly these tables, and these not be what was expected.
    failOn(ExitCode.input, inventory.problems);
    await sweepDead(job);
    return toResult(job, existing.manifest, "already done", []);
  }
  const checked = await clock.run("preflight", () => runPreflight(job, inventory));
  const plan = await clock.run("plan", () => decide(job, checked));
  if (existing.state === "unfinished" && existing.digest !== plan.digest)
    throw otherOrigin(job, "a file without a manifest");
  refuseAboveCeiling(plan);
  await sweepDead(job);
  await checkDisk(job, plan.outputBytes);
  const stage = await job.store.stage(output, { linked: plan.assembly.how === "compose" });
  try {
    const manifest = await makeOutput(job, checked, plan, stage, clock);
    await clock.run("publish", () => publish(job, stage, manifest, existing));
    return toResult(job, manifest, "done", clock.times);
  } finally {
    await stage.discard();
  }
}

/** Removes what killed workers of this pair left behind. */
async function sweepDead(job: Job): Promise<void> {
  const { output, manifest } = outputPaths(job);
  await job.store.sweep(output);
  // In a bucket, what was staged for the two lies in one place.
  if (job.store.traffic() === undefined) await job.store.sweep(manifest);
}

/** A plan without problems. */
function decide(job: Job, checked: Checked): Plan {
  const { pair, settings, limits, store } = job;
  const link = store.canLink(settings.input, settings.output);
  const remote = store.traffic() !== undefined;
  const { plan, problems } = makePlan({ pair, settings, limits, link, remote, ...checked });
  failOn(ExitCode.input, problems);
  return plan;
}

async function makeOutput(job: Job, checked: Checked, plan: Plan, stage: Stage, clock: StageClock): Promise<Manifest> {
  const merged = await clock.run("merge", () => mergeTables(job, checked, plan, stage));
  const written = await clock.run("footer", () => finishOutput(plan, merged, stage));
  const verification = await clock.run("verify", async () => {
    const opened = await stage.open();
    try {
      return await verifyOutput(
        job,
        outputPaths(job).output,
        opened,
        job.settings.verify,
        expect(plan, job.settings.key),
      );
    } finally {
      await opened.close();
    }
  });
  failOn(ExitCode.verification, verification.problems);
  const memory = await job.port.measureMemory();
  return makeManifest(job, { plan, written, checksums: merged.checksums, verification, memory, stages: clock.times });
}

/** What the plan promises. */
function expect(plan: Plan, key: string): Expectation {
  const columns = [key, ...plan.tables.flatMap((table) => table.columns.map((column) => column.output))];
  return { rows: plan.rows, rowGroups: plan.rowGroups, columns, tables: plan.tables };
}

/**
 * The manifest is the mark of done, so it goes first when an output is replaced and comes last: at any instant a
 * manifest that is there matches the file beside it. Only what was there at the start is removed or replaced: another
 * worker on this pair may have been faster.
 */
async function publish(job: Job, stage: Stage, manifest: Manifest, existing: Existing): Promise<void> {
  const paths = outputPaths(job);
  job.port.signal.throwIfAborted();
  if (existing.state === "replaceable" && existing.manifestVersion !== undefined)
    await job.store.remove(paths.manifest, existing.manifestVersion);
  await stage.publish("version" in existing ? existing.version : undefined);
  await writeManifest(job, manifest);
}

/**
 * Puts the manifest beside the output that it describes and beside no other: between the two, a worker that was asked to
 * replace may have put its own there.
 */
async function writeManifest(job: Job, manifest: Manifest): Promise<void> {
  const { output, manifest: path } = outputPaths(job);
  const text = `${JSON.stringify(manifest, null, 1)}\n`;
  const published = await findOwn(job, output, manifest);
  for (let written = false; !written; ) {
    const before = await job.store.stat(path);
    await findOwn(job, output, manifest, published);
    written = await job.store.writeTextIf(path, text, before?.version);
  }
  try {
    await findOwn(job, output, manifest, published);
  } catch (error) {
    const there = await job.store.stat(path);
    if ((await job.store.readText(path)) === text) await job.store.remove(path, there?.version);
    throw error;
  }
}

/** The version of the published output. @throws Failure (input) when another one has taken its place. */
async function findOwn(job: Job, output: string, manifest: Manifest, published?: string): Promise<string> {
  const file = await job.store.stat(output);
  const isOwn =
    file?.size === manifest.output.size &&
    (file.crc32c ?? manifest.output.crc32c) === manifest.output.crc32c &&
    (published ?? file.version) === file.version;
  if (!isOwn) throw overtaken(output);
  return file.version;
}

function refuseAboveCeiling(plan: Plan): void {
  const smallest = smallestCeilingMiB(plan.predictedPeakBytes);
  if (smallest * MiB <= plan.ceilingBytes) return;
  const problem: Problem = {
    what: "the predicted peak memory does not fit under the ceiling",
    found: `${formatMemory(plan.predictedPeakBytes)} predicted, ceiling ${formatMemory(plan.ceilingBytes)}`,
    fix: `the smallest ceiling that would do is --memory-ceiling ${smallest}MiB`,
  };
  throw new Failure(ExitCode.memory, [problem]);
}

function toResult(
  job: Job,
  manifest: Manifest,
  outcome: "done" | "already done",
  stages: readonly StageTime[],
): MergeResult {
  const spliced = manifest.inputs.filter((input) => input.action === "splice").length;
  const paths = outputPaths(job);
  const read = manifest.inputs.reduce((sum, input) => sum + input.size, 0);
  return {
    pair: job.pair,
    outcome,
    exitCode: ExitCode.done,
    rows: manifest.rows,
    columns: manifest.columns,
    tables: { total: manifest.inputs.length, spliced, aligned: manifest.inputs.length - spliced },
    bytes: outcome === "done" ? { read, written: manifest.output.size } : { read: 0, written: 0 },
    predictedPeakBytes: manifest.memory.predictedBytes,
    ceilingBytes: job.limits.ceilingBytes,
    stages,
    output: paths.output,
    manifest: paths.manifest,
    problems: [],
  };
}
