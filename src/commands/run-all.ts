import { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { ExitCode } from "../contract/exit.ts";
import { Failure } from "../contract/failure.ts";
import { type SettingName, type Settings, settingNames } from "../contract/settings.ts";
import { findRun } from "../controller/open.ts";
import { runPaths } from "../controller/paths.ts";
import { type RunEnd, runPairs } from "../controller/run.ts";
import { costOfRun } from "../report/cost.ts";
import { describeRun } from "../report/run-text.ts";
import { createStore } from "../store/route.ts";
import { dryRun } from "./dry-run.ts";
import { type LiveRun, showRun } from "./live.ts";
import { openMachine } from "./machines.ts";
import { renderApart } from "./render-apart.ts";
import { guardCost, loadPrices } from "./reports.ts";
import { addSettings, readSettings } from "./settings.ts";

const guide = `
Every pair is merged by a worker of its own, as many at a time as fit. A pair is done when its output and a manifest of
these inputs and settings are there, whatever its worker said. Pairs that are done are left alone. What failed for a
reason that may pass is tried again; what ran out of memory is tried again with the next of --memory-ceilings.

Everything about the run lies in <output>/runs/<run>/: it may be killed at any moment; the same command goes on with it.
One Ctrl-C stops the workers, a second one leaves at once.

Exit codes: 0 every pair is done; otherwise that of the worst failure (see \`widemerge merge --help\`), each failed pair
is listed.

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
  const prices = await loadPrices(settings);
  const live = showRun(prices);
  const stop = catchSignals(live);
  try {
    const end = await start(settings, prices, live, stop.signal);
    live.end();
    await print(end, settings, prices, flags.json === true);
    process.exitCode = end.exitCode;
  } finally {
    live.end();
    stop.off();
  }
}

type Prices = Awaited<ReturnType<typeof loadPrices>>;

async function start(settings: Settings, prices: Prices, live: LiveRun, signal: AbortSignal): Promise<RunEnd> {
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
    signal,
    cost: guardCost(settings, capacity, vcpu, prices),
    documents: (view) => renderApart({ view, prices }),
    onView: (view) => live.view(view),
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

/** The first signal stops what was started, the second one ends this process at once. */
function catchSignals(live: LiveRun): { readonly signal: AbortSignal; off(): void } {
  const stop = new AbortController();
  const onSignal = (found: "SIGINT" | "SIGTERM", exitCode: ExitCode): void => {
    if (stop.signal.aborted) process.exit(exitCode);
    live.notice("Stopping the workers; once more to leave at once, and leave them to themselves.");
    const fix = "run the same command again: it goes on with the run";
    stop.abort(new Failure(exitCode, [{ what: "the run was stopped", found, fix }]));
  };
  const interrupt = (): void => onSignal("SIGINT", ExitCode.interrupted);
  const terminate = (): void => onSignal("SIGTERM", ExitCode.terminated);
  process.on("SIGINT", interrupt).on("SIGTERM", terminate);
  return { signal: stop.signal, off: () => process.off("SIGINT", interrupt).off("SIGTERM", terminate) };
}

async function print({ view, exitCode }: RunEnd, settings: Settings, prices: Prices, json: boolean): Promise<void> {
  if (json) {
    const { buildReport } = await import("../report/build.ts");
    process.stdout.write(`${JSON.stringify({ exitCode, ...buildReport(view, prices) })}\n`);
    return;
  }
  const store = await createStore(settings, pathsOf(settings));
  const report = runPaths(store, settings.output, view.record.run).document("report.html");
  process.stdout.write(`${describeRun(view, costOfRun(view, prices))}report: ${report}\n`);
}
