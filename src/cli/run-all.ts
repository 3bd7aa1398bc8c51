import { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { openMachine } from "../app/create-backend.ts";
import { dryRun } from "../app/dry-run.ts";
import { logAbout } from "../app/log.ts";
import { guardCost, loadPrices, renderDocuments } from "../app/reports.ts";
import { type SettingName, type Settings, settingNames } from "../config/settings.ts";
import { costOfRun } from "../cost/run-cost.ts";
import type { BackendName } from "../model/backend-name.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import type { RunView } from "../model/run.ts";
import { describeRun } from "../report/text/run.ts";
import { findRun } from "../run/choose.ts";
import { runPairs } from "../run/controller.ts";
import { runPaths } from "../run/documents.ts";
import type { RunEnd } from "../run/options.ts";
import { createStore } from "../store/create-store.ts";
import { addSettings, readSettings } from "./flags.ts";
import { type LiveRun, showRun } from "./run-display.ts";

const guide = `
Every pair is merged by a worker of its own, as many at a time as fit. A pair is done when its output and a manifest of
these inputs and settings are there, whatever its worker said. Pairs that are done are left alone. What failed for a
reason that may pass is tried again; what ran out of memory is tried again with the next of --memory-ceilings.

Everything about the run lies in <output>/runs/<run>/: it may be killed at any moment; the same command goes on with it.
One Ctrl-C stops the workers, a second one leaves at once. SIGTERM, as a node that is drained sends it, stops workers on
this machine alone: those of Kubernetes and Cloud Run stay at work, and the same command goes on with them.

Exit codes: 0 every pair is done; otherwise that of the worst failure (see \`widemerge merge --help\`), each failed pair
is listed. 75 also while another controller has the run: once that is lost, the run is free within half a minute.

Examples:
  widemerge run-all --config profiles/27-pairs.yaml --input checkpoints --output training --memory-ceiling 4GiB
  widemerge run-all --config profiles/27-pairs.yaml --dry-run
  widemerge run-all --backend kubernetes --config profiles/27-pairs.yaml --image widemerge:1.0.0 \\
    --input gs://bucket/checkpoints --output gs://bucket/training --max-cost 25
  widemerge run-all --backend cloudrun --config profiles/27-pairs.yaml --project fx --region us-central1 \\
    --memory-ceiling 2GiB --memory-free 0 --memory-warn auto --image us-central1-docker.pkg.dev/fx/fx/widemerge:1.0.0 \\
    --input gs://bucket/checkpoints --output gs://bucket/training
`;

/** What the launcher of a single worker states. */
const ofWorkers: readonly SettingName[] = ["attempt", "memoryScope"];
const runSettings = settingNames.filter((name) => !ofWorkers.includes(name));

/** The command `widemerge run-all`. */
export function runAllCommand(): Command {
  const command = new Command("run-all")
    .description(
      "merge all pairs, side by side, here, as Kubernetes Jobs or as Cloud Run jobs, and gather outputs, reports and costs",
    )
    .option("--dry-run", "say what would be done, and how much memory, time and money it would take; write nothing")
    .option("--json", "print the report as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, runSettings).action(runAll);
}

async function runAll(flags: Readonly<Record<string, unknown>>, command: Command): Promise<void> {
  const settings = readSettings(flags, command);
  if (flags.dryRun === true) return dryRun(await withPairs(settings), flags.json === true);
  const { project, output, run } = settings;
  logAbout({ project, output, ...(run !== "last" && { run }) });
  const prices = await loadPrices(settings);
  const live = showRun(prices);
  const stop = catchSignals(live, settings.backend);
  try {
    const end = await start(settings, prices, live, stop);
    live.end();
    await print(end, settings, prices, flags.json === true);
    process.exitCode = end.exitCode;
  } finally {
    live.end();
    stop.off();
  }
}

type Prices = Awaited<ReturnType<typeof loadPrices>>;

async function start(settings: Settings, prices: Prices, live: LiveRun, stop: Stop): Promise<RunEnd> {
  const { run, pairs } = await withPairs(settings);
  const { backend, capacity, vcpu } = await openMachine(settings.backend, settings);
  return runPairs({
    store: await createStore(settings, pathsOf(settings)),
    machine: backend,
    backend: settings.backend,
    capacity,
    settings,
    pairs,
    ...(run === undefined ? {} : { wanted: run }),
    widemerge: packageJson.version,
    signal: stop.signal,
    detach: stop.detach,
    cost: guardCost(settings, capacity, vcpu, prices),
    documents: (view) => renderDocuments(view, prices),
    onView: (view) => {
      stop.see(view);
      live.view(view);
    },
    onNotice: (text) => live.notice(text),
  });
}

/** The settings with the pairs of the run that is gone on with, where none are stated. @throws Failure (usage) */
async function withPairs(settings: Settings): Promise<Settings> {
  if (settings.pairs.length > 0) return { ...settings, pairs: [...new Set(settings.pairs)] };
  if (settings.run !== undefined) {
    const store = await createStore(settings, pathsOf(settings));
    const { pairs } = await findRun(store, settings.output, settings.run);
    return { ...settings, pairs: [...pairs] };
  }
  const fix = "name them with --pairs, or in a profile such as profiles/27-pairs.yaml (--config)";
  throw new Failure(ExitCode.usage, [{ what: "no pair to merge", found: "no --pairs", fix }]);
}

/** Every path that a run reads or writes. */
export function pathsOf({ input, output, expectTables }: Settings): string[] {
  return [input, output, ...(typeof expectTables === "string" ? [expectTables] : [])];
}

/** How a run is ended from outside. */
interface Stop {
  /** Aborted: what was started is stopped. */
  readonly signal: AbortSignal;
  /** Aborted: what was started is left at work. */
  readonly detach: AbortSignal;
  /** Takes in how far the run is. */
  see(view: RunView): void;
  off(): void;
}

/**
 * The first signal ends the run, the second one this process at once. A person's Ctrl-C is meant for the workers too; a
 * SIGTERM is meant for this process alone, so that it leaves workers that can do without it: the next one goes on.
 */
function catchSignals(live: LiveRun, backend: BackendName): Stop {
  const [stop, detach] = [new AbortController(), new AbortController()];
  let last: RunView | undefined;
  const onSignal = (found: "SIGINT" | "SIGTERM", exitCode: ExitCode): void => {
    if (stop.signal.aborted || detach.signal.aborted) process.exit(exitCode);
    const leaves = found === "SIGTERM" && backend !== "local";
    live.notice(
      leaves
        ? describeLeaving(last)
        : "Stopping the workers; once more to leave at once, and leave them to themselves.",
    );
    const fix = "run the same command again: it goes on with the run";
    (leaves ? detach : stop).abort(new Failure(exitCode, [{ what: "the run was stopped", found, fix }]));
  };
  const interrupt = (): void => onSignal("SIGINT", ExitCode.interrupted);
  const terminate = (): void => onSignal("SIGTERM", ExitCode.terminated);
  process.on("SIGINT", interrupt).on("SIGTERM", terminate);
  return {
    signal: stop.signal,
    detach: detach.signal,
    see: (view) => {
      last = view;
    },
    off: () => process.off("SIGINT", interrupt).off("SIGTERM", terminate),
  };
}

function describeLeaving(view: RunView | undefined): string {
  if (view === undefined) return "SIGTERM: leaves before the run began.";
  const { run } = view.record;
  const count = (wanted: string): number => view.pairs.filter(({ state }) => state === wanted).length;
  return `SIGTERM: leaves ${count("running")} pair(s) at work and ${count("waiting")} waiting; run again with --run ${run} to go on, or end it with \`widemerge cancel ${run}\`.`;
}

async function print(
  { view, exitCode, reported }: RunEnd,
  settings: Settings,
  prices: Prices,
  json: boolean,
): Promise<void> {
  if (json) {
    const { buildReport } = await import("../report/build.ts");
    process.stdout.write(`${JSON.stringify({ exitCode, ...buildReport(view, prices) })}\n`);
    return;
  }
  const store = await createStore(settings, pathsOf(settings));
  const report = runPaths(store, settings.output, view.record.run).document("report.html");
  process.stdout.write(`${describeRun(view, costOfRun(view, prices))}${reported ? `report: ${report}\n` : ""}`);
}
