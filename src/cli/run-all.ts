import { forecastRun } from "../app/dry-run.ts";
import { logAbout } from "../app/log.ts";
import { loadPrices } from "../app/prices.ts";
import { runAll as carryOut, type FinishedRun } from "../app/run-all.ts";
import { type SettingName, settingNames } from "../config/settings.ts";
import { costOfRun } from "../cost/run-cost.ts";
import type { BackendName } from "../model/backend-name.ts";
import type { PriceList } from "../model/cost.ts";
import type { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import type { RunView } from "../model/run.ts";
import { formatNumber } from "../model/units.ts";
import { describeRun } from "../report/text/run.ts";
import { CodedCommand, ImmediateExit } from "./command.ts";
import { describeDryRun } from "./dry-run-display.ts";
import { addSettings, type Flags, readStated } from "./flags.ts";
import { printJson, printLines } from "./print.ts";
import { observeTask, printNotice } from "./progress.ts";
import { type RunDisplay, showRun } from "./run-display.ts";
import { onStopSignals } from "./signals.ts";

const guide = `
Without --pairs, the pairs of an existing --run are merged, otherwise those of the checkpoints under the input: every folder
with a targets table and a _COMPLETE marker.

Each pair is merged by its own worker, as many at a time as fit. A pair is done when its output and a manifest of these
inputs and settings exist, whatever its worker reported. Finished pairs are skipped. A failure that may pass is retried; a
pair that ran out of memory is retried with the next of --memory-ceilings.

All state of the run is in <output>/runs/<run>/, so it may be killed at any moment: the same command continues it.
Ctrl-C stops the workers; a second Ctrl-C exits at once. SIGTERM (a node being drained) stops only workers on this machine:
those on Kubernetes and Cloud Run keep running, and the same command continues with them.

Exit codes: 0 when every pair is done; otherwise that of the worst failure (see \`widemerge merge --help\`), and each failed
pair is listed. Also 75 while another controller has the run: if that one is lost, the run is free within 30 seconds. And 6
when another controller has taken the run over, after this one was suspended or without its store for longer than that.

Examples:
  widemerge run-all --input checkpoints --output training
  widemerge run-all --config profiles/27-pairs.yaml --input checkpoints --output training --memory-ceiling 4GiB
  widemerge run-all --config profiles/27-pairs.yaml --dry-run
  widemerge run-all --backend kubernetes --config profiles/27-pairs.yaml --image widemerge:1.0.0 \\
    --input gs://bucket/checkpoints --output gs://bucket/training --max-cost 25
  widemerge run-all --backend cloudrun --config profiles/27-pairs.yaml --project fx --region us-central1 \\
    --memory-ceiling 2GiB --memory-free 0 --memory-warn auto --image us-central1-docker.pkg.dev/fx/fx/widemerge:1.0.0 \\
    --input gs://bucket/checkpoints --output gs://bucket/training
`;

/** Settings that the controller sets for each worker. */
const workerSettings: readonly SettingName[] = ["attempt", "memoryScope"];
const runSettings = settingNames.filter((name) => !workerSettings.includes(name));

/** The command `widemerge run-all`. */
export function runAllCommand(): CodedCommand {
  const command = new CodedCommand("run-all")
    .description(
      "merge all pairs side by side, on this machine, as Kubernetes Jobs or as Cloud Run jobs, and gather outputs, reports and costs",
    )
    .option("--dry-run", "show what would be done and how much memory, time and money it would take; write nothing")
    .option("--json", "print the report as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, runSettings).runs(runAll);
}

async function runAll(flags: Flags, command: CodedCommand): Promise<ExitCode> {
  const given = readStated(flags, command);
  const { settings } = given;
  const observe = (pair: string) => observeTask(pair, settings);
  if (flags.dryRun === true) {
    const forecast = await forecastRun(given, { observe, onNotice: printNotice });
    if (flags.json === true) printJson(forecast);
    else printLines(describeDryRun(forecast, settings.backend));
    return forecast.exitCode;
  }
  const { project, output, run } = settings;
  logAbout({ project, output, ...(run !== "last" && { run }) });
  const prices = await loadPrices(settings);
  const display = showRun(prices, settings);
  const stop = stopOnSignals(display, settings.backend);
  try {
    const onView = (view: RunView): void => {
      stop.onView(view);
      display.view(view);
    };
    const { signal, detach } = stop;
    const hooks = { signal, detach, onView, onNotice: (text: string) => display.notice(text), observe };
    const end = await Promise.race([carryOut(given, prices, hooks), stop.exit]);
    display.end();
    await print(end, prices, flags.json === true);
    return end.exitCode;
  } finally {
    display.end();
    stop.off();
  }
}

/** How a run is ended from outside. */
interface Stop {
  /** Aborted: stop the workers. */
  readonly signal: AbortSignal;
  /** Aborted: leave the workers running. */
  readonly detach: AbortSignal;
  /** Rejects with an ImmediateExit at the second signal. */
  readonly exit: Promise<never>;
  /** Takes note of the state of the run. */
  onView(view: RunView): void;
  off(): void;
}

/**
 * The first signal ends the run, the second one exits at once. Ctrl-C is meant for the workers too. SIGTERM is meant for
 * this process alone: workers that can do without it keep running, and the next controller continues with them.
 */
function stopOnSignals(display: RunDisplay, backend: BackendName): Stop {
  const [stop, detach, exit] = [new AbortController(), new AbortController(), Promise.withResolvers<never>()];
  // A run may end before anything waits for the second signal.
  exit.promise.catch(() => undefined);
  let last: RunView | undefined;
  const off = onStopSignals((exitCode, signal) => {
    if (stop.signal.aborted || detach.signal.aborted) return exit.reject(new ImmediateExit(exitCode));
    const leaves = signal === "SIGTERM" && backend !== "local";
    display.notice(
      leaves
        ? describeLeaving(last)
        : "Stopping the workers. Send the signal again to exit at once and leave them alone.",
    );
    const fix = "run the same command again to continue the run";
    const failure = new Failure(exitCode, [{ what: "the run was stopped", found: signal, fix }]);
    (leaves ? detach : stop).abort(failure);
  });
  const onView = (view: RunView): void => {
    last = view;
  };
  return { signal: stop.signal, detach: detach.signal, exit: exit.promise, onView, off };
}

function describeLeaving(view: RunView | undefined): string {
  if (view === undefined) return "SIGTERM: exits before the run has begun.";
  const { run } = view.record;
  const count = (wanted: string): number => view.pairs.filter(({ state }) => state === wanted).length;
  return `SIGTERM: exits with ${formatNumber(count("running"), "pair")} running and ${count("waiting")} waiting. Continue with --run ${run}, or end the run with \`widemerge cancel ${run}\`.`;
}

async function print({ view, exitCode, reported, reportPath }: FinishedRun, prices: PriceList, json: boolean) {
  if (json) {
    const { buildReport } = await import("../report/build.ts");
    printJson({ exitCode, ...buildReport(view, prices) });
    return;
  }
  const report = reported ? [`report: ${reportPath}`] : [];
  printLines([...describeRun(view, costOfRun(view, prices)), ...report]);
}
