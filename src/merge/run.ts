import { ExitCode } from "../model/exit-code.ts";
import type { Problem } from "../model/failure.ts";
import { Failure, failOn } from "../model/failure.ts";
import { namesOf } from "../model/folders.ts";
import { smallestCeilingMiB } from "../model/guard.ts";
import { listPartial } from "../model/partial-table.ts";
import type { Plan } from "../model/plan.ts";
import type { Manifest, StageTime, WorkerReport } from "../model/result.ts";
import type { MergeSettings } from "../model/settings.ts";
import type { Task, TaskLimits } from "../model/task.ts";
import { formatMemory, formatNumber, MiB } from "../model/units.ts";
import type { KeyVector } from "../parquet/key/key-vector.ts";
import { keepApart } from "../store/separate-folders.ts";
import type { StagedOutput } from "../store/store.ts";
import { type Context, openPair, type PairContext, StageClock } from "./context.ts";
import { readUnchanged } from "./inspect/changed-inputs.ts";
import { findExisting, refuseOutput } from "./inspect/existing-output.ts";
import { type Inventory, takeInventory } from "./inspect/inventory.ts";
import { type CheckedCheckpoint, checkDisk, runPreflight } from "./inspect/preflight.ts";
import { findFurtherProblems, makePlan, type PlannedMerge } from "./plan/plan.ts";
import { makeManifest } from "./publish/manifest.ts";
import { publish } from "./publish/publish.ts";
import { printColumns } from "./table.ts";
import { finishOutput, transferTables } from "./transfer/transfer.ts";
import { verifyPublished } from "./verify/published.ts";
import { type Expectation, verifyOutput } from "./verify/verify.ts";

/** Carries out a task. @throws Failure with the exit code of its cause. */
export async function runTask(task: Task, context: Context): Promise<WorkerReport> {
  const { settings, limits } = task;
  switch (task.command) {
    case "merge":
      return { command: "merge", result: await new PairMerge(context, task.pair, settings, limits).merge() };
    case "plan":
      return { command: "plan", plan: await new PairMerge(context, task.pair, settings, limits).plan() };
    case "verify": {
      const { target, level } = task;
      const sources = { path: settings.input, comesFirst: task.inputGiven };
      const request = { target, level, output: settings.output, sources };
      return { command: "verify", verification: await verifyPublished(context, request) };
    }
  }
}

type MergeResult = Extract<WorkerReport, { readonly command: "merge" }>["result"];

/** The stages of one pair, in order. Settings are read here; each stage gets the few that it needs. */
class PairMerge {
  readonly #context: PairContext;
  readonly #settings: MergeSettings;
  readonly #limits: TaskLimits;
  readonly #clock: StageClock;

  constructor(context: Context, pair: string, settings: MergeSettings, limits: TaskLimits) {
    this.#context = openPair(context, pair, settings.output);
    this.#settings = settings;
    this.#limits = limits;
    this.#clock = new StageClock(context.port);
  }

  async plan(): Promise<Plan> {
    const inventory = await this.#clock.run("inventory", () => this.#takeInventory());
    const checked = await this.#clock.run("preflight", () => runPreflight(this.#context, inventory, this.#settings));
    return (await this.#clock.run("plan", () => this.#decide(checked, inventory))).planned.plan;
  }

  /** Merges the pair; the result counts what was asked of the service, the removal of staged objects included. */
  async merge(): Promise<MergeResult> {
    const result = await this.#mergeStages();
    const { input, output } = this.#settings;
    const { store } = this.#context;
    if (!store.isRemote(input) && !store.isRemote(output)) return result;
    const traffic = store.traffic();
    return { ...result, bytes: { ...result.bytes, read: traffic.bytesDown }, traffic };
  }

  async #takeInventory(): Promise<Inventory> {
    await keepApart(this.#context.store, this.#settings, [this.#context.pair]);
    return takeInventory(this.#context, this.#settings);
  }

  async #mergeStages(): Promise<MergeResult> {
    const { store, paths } = this.#context;
    const inventory = await this.#clock.run("inventory", () => this.#takeInventory());
    const existing = await findExisting(this.#context, inventory, this.#settings);
    if (existing.state === "done") {
      // The output may be of exactly these tables, and these not be what was expected.
      failOn(ExitCode.input, inventory.problems);
      await store.sweep(paths.output, paths.manifest);
      return this.#toResult(existing.manifest, "already done", []);
    }
    const checked = await this.#clock.run("preflight", () => runPreflight(this.#context, inventory, this.#settings));
    const { planned, targetsKey } = await this.#clock.run("plan", () => this.#decide(checked, inventory));
    if (existing.state === "unfinished" && existing.digest !== planned.plan.digest) throw refuseOutput(paths.output);
    refuseAboveCeiling(planned.plan);
    this.#noteIndex(planned.plan);
    await store.sweep(paths.output, paths.manifest);
    await checkDisk(this.#context, planned.plan.outputBytes, this.#settings.diskFree);
    const staged = await store.stage(paths.output, { linked: planned.plan.assembly.how === "compose" });
    try {
      const inputs = planned.tables.map(({ file }) => file);
      const manifest = await readUnchanged(this.#context, inputs, () => this.#makeOutput(targetsKey, planned, staged));
      await this.#clock.run("publish", () => publish(this.#context, staged, manifest, existing));
      return this.#toResult(manifest, "done", this.#clock.times);
    } finally {
      await staged.discard();
    }
  }

  /** A plan without problems. @throws Failure (input) with every problem of the checkpoint and of the plan */
  async #decide(
    checked: CheckedCheckpoint,
    { excluded, ignored }: Inventory,
  ): Promise<{ planned: PlannedMerge; targetsKey: KeyVector }> {
    const { pair, store } = this.#context;
    const settings = this.#settings;
    const { targets, features, problems } = checked;
    if (problems.length > 0)
      throw new Failure(ExitCode.input, [
        ...problems,
        ...findFurtherProblems(checked, namesOf(settings.folders, pair), settings),
      ]);
    if (targets === undefined) throw new Error("no targets and no problem");
    const link = await store.canLink(settings.input, settings.output);
    const remote = store.isRemote(settings.input) || store.isRemote(settings.output);
    const input = { pair, targets: targets.table, features, excluded, ignored };
    const planned = makePlan({ ...input, settings, limits: this.#limits, link, remote });
    failOn(ExitCode.input, planned.problems);
    this.#noteTypes(planned.plan);
    return { planned, targetsKey: targets.key };
  }

  #noteIndex({ tables }: Plan): void {
    const indexed = tables.filter(({ leftOut }) => leftOut.length > 0);
    if (indexed.length === 0) return;
    const text = `the index that pandas saved in ${formatNumber(indexed.length, "table")} is left out; --keep-index keeps it`;
    this.#context.port.emit({ type: "warning", text });
  }

  #noteTypes({ tables }: Plan): void {
    const [first, ...others] = tables.filter(({ arrowSchemaIgnored }) => arrowSchemaIgnored !== undefined);
    if (first === undefined) return;
    const names = others.length === 0 ? first.file.table : `${first.file.table} and ${others.length} more`;
    const text = `ARROW:schema of ${names} is ignored, so the plan does not say which types change: ${first.arrowSchemaIgnored}`;
    this.#context.port.emit({ type: "warning", text });
  }

  async #makeOutput(targetsKey: KeyVector, planned: PlannedMerge, staged: StagedOutput): Promise<Manifest> {
    const { plan } = planned;
    const { duplicates } = this.#settings;
    const keys = { targetsKey, duplicates };
    const { output, tables } = await this.#clock.run("merge", () =>
      transferTables(this.#context, planned, keys, staged),
    );
    const written = await this.#clock.run("footer", () => finishOutput(plan, output, staged));
    const verification = await this.#clock.run("verify", () => this.#verify(planned, staged));
    failOn(ExitCode.verification, verification.problems);
    const memory = await this.#context.port.measureMemory();
    const { times: stages } = this.#clock;
    return makeManifest({ plan, tables, written, verification, memory, stages, settings: this.#settings });
  }

  async #verify(planned: PlannedMerge, staged: StagedOutput) {
    const { key, duplicates, keyCast, verify } = this.#settings;
    const opened = await staged.open();
    try {
      const file = { path: this.#context.paths.output, opened };
      return await verifyOutput(this.#context, file, { ...expect(planned), key, duplicates, keyCast }, verify);
    } finally {
      await opened.close();
    }
  }

  #toResult(manifest: Manifest, outcome: "done" | "already done", stages: readonly StageTime[]): MergeResult {
    const { pair, paths } = this.#context;
    const spliced = manifest.inputs.filter((input) => input.action === "splice").length;
    const read = manifest.inputs.reduce((sum, input) => sum + input.size, 0);
    return {
      pair,
      outcome,
      exitCode: ExitCode.done,
      rows: manifest.rows,
      columns: manifest.columns,
      tables: { total: manifest.inputs.length, spliced, aligned: manifest.inputs.length - spliced },
      partialTables: listPartial(manifest.rows, manifest.inputs),
      ignored: manifest.ignored ?? [],
      bytes: outcome === "done" ? { read, written: manifest.output.size } : { read: 0, written: 0 },
      predictedPeakBytes: manifest.memory.predictedBytes,
      ceilingBytes: this.#limits.ceilingBytes,
      stages,
      output: paths.output,
      manifest: paths.manifest,
      problems: [],
    };
  }
}

/** What the plan promises. */
function expect({ plan, tables }: PlannedMerge): Omit<Expectation, "key" | "duplicates" | "keyCast"> {
  return {
    rows: plan.rows,
    rowGroups: plan.rowGroups,
    columns: tables.flatMap((table) => table.columns.map(({ name }) => name)),
    tables: tables.map((table) => ({
      file: table.file,
      isTargets: table.isTargets,
      action: table.plan.action,
      columns: printColumns(table, table.columns),
      key: table.key.name,
    })),
  };
}

/** What runs before the merge takes a few MiB more at one start than at another, and counts in the prediction. */
const startVariationBytes = 8 * MiB;

function refuseAboveCeiling(plan: Plan): void {
  if (smallestCeilingMiB(plan.predictedPeakBytes) * MiB <= plan.ceilingBytes) return;
  // The next start has to fit under the ceiling that is named here.
  const smallest = smallestCeilingMiB(plan.predictedPeakBytes + startVariationBytes);
  const problem: Problem = {
    what: "the predicted peak memory does not fit under the ceiling",
    found: `${formatMemory(plan.predictedPeakBytes)} predicted, ceiling ${formatMemory(plan.ceilingBytes)}`,
    fix: `use --memory-ceiling ${smallest}MiB or more`,
  };
  throw new Failure(ExitCode.memory, [problem]);
}
