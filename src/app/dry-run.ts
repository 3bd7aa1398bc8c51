import type { Settings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import type { Problem } from "../model/failure.ts";
import { describeProblem } from "../model/failure.ts";
import { fitsUnder } from "../model/guard.ts";
import type { Plan } from "../model/plan.ts";
import { formatCount, formatMemory, formatSeconds } from "../model/units.ts";
import { describeForecast } from "../report/text/run.ts";
import { type Completion, checkCompletions } from "../run/completion.ts";
import { createStore } from "../store/create-store.ts";
import { openMachine } from "./create-backend.ts";
import { runGuarded } from "./guarded-task.ts";
import { forecastRun, loadPrices } from "./reports.ts";

/** One pair of a run that was not started. */
interface PairForecast extends Completion {
  /** Absent for a pair that is done, and for one that cannot be planned. */
  readonly plan?: Plan;
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];
}

/** Says what a run would do; reads footers and keys of every pair that is not done, and writes nothing. */
export async function dryRun(settings: Settings, json: boolean): Promise<void> {
  const prices = await loadPrices(settings);
  const { capacity, vcpu } = await openMachine(settings.backend, settings);
  const { ceilingBytes } = capacity;
  const { expectTables, input, output } = settings;
  const paths = [input, output, ...(typeof expectTables === "string" ? [expectTables] : [])];
  const completions = await checkCompletions(await createStore(settings, paths), settings, settings.pairs);
  const pairs: PairForecast[] = [];
  // One after the other: a plan takes memory, too, and the ceiling is for all of it.
  for (const completion of completions) pairs.push(await forecastPair(completion, settings, ceilingBytes));
  const planned = pairs.flatMap(({ pair, inputBytes, plan }) =>
    plan === undefined ? [] : [{ pair, inputBytes, seconds: plan.predictedSeconds }],
  );
  const cost = forecastRun({ settings, capacity, vcpu, prices, memoryBytes: ceilingBytes }, planned);
  const parallelism = capacity.parallelism(planned.length, ceilingBytes);
  const exitCode = pairs.find((pair) => pair.exitCode !== ExitCode.done)?.exitCode ?? ExitCode.done;
  if (json) process.stdout.write(`${JSON.stringify({ exitCode, ceilingBytes, parallelism, pairs, cost })}\n`);
  else {
    const head = `${formatCount(planned.length)} of ${formatCount(pairs.length)} pairs to merge on ${settings.backend}, ${parallelism} at a time, each under a ceiling of ${formatMemory(ceilingBytes)}`;
    const costs = planned.length === 0 ? "" : `\n${describeForecast(cost)}`;
    process.stdout.write(`${head}\n\n${pairs.map((pair) => describePair(pair, ceilingBytes)).join("")}${costs}`);
  }
  process.exitCode = exitCode;
}

async function forecastPair(completion: Completion, settings: Settings, ceilingBytes: number): Promise<PairForecast> {
  if (completion.verdict === "done") return { ...completion, exitCode: ExitCode.done, problems: [] };
  const limited = { ...settings, memoryCeiling: settings.memoryCeiling === "auto" ? "auto" : ceilingBytes } as const;
  const task = { command: "plan", pair: completion.pair, settings: limited } as const;
  // What a worker elsewhere will have says nothing about this machine: its memory limits the planning only.
  const here = settings.backend === "local" ? limited : ({ ...limited, memoryCeiling: "auto", memoryFree: 0 } as const);
  const { report, exitCode, problems } = await runGuarded(task, here);
  return { ...completion, exitCode, problems, ...(report?.command === "plan" ? { plan: report.plan } : {}) };
}

function describePair({ pair, verdict, why, plan, problems }: PairForecast, ceilingBytes: number): string {
  const name = pair.padEnd(8);
  if (verdict === "done") return `${name}done: ${why}\n`;
  if (plan === undefined)
    return `${name}cannot be merged\n${problems.map((problem) => `  - ${describeProblem(problem)}\n`).join("")}`;
  const aligned = plan.tables.filter(({ action }) => action === "align").length;
  const fits = fitsUnder(ceilingBytes, plan.predictedPeakBytes) ? "fits" : "does not fit";
  const parts = [
    `to do: ${why}`,
    `${formatCount(plan.tables.length - aligned)} tables spliced, ${formatCount(aligned)} aligned`,
    `predicted peak ${formatMemory(plan.predictedPeakBytes)}, ${fits}`,
    `about ${formatSeconds(plan.predictedSeconds)}`,
  ];
  return `${name}${parts.join("  |  ")}\n`;
}
