import type { StatedSettings } from "../config/resolve.ts";
import type { Settings } from "../config/settings.ts";
import type { CostForecast } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import type { Problem } from "../model/failure.ts";
import type { Plan } from "../model/plan.ts";
import { type Completion, checkCompletions } from "../run/completion.ts";
import { parallelismOf } from "../run/launch.ts";
import { createStore } from "../store/create-store.ts";
import { keepApart } from "../store/separate-folders.ts";
import { withPairs } from "./choose-pairs.ts";
import { forecastCost } from "./cost-guard.ts";
import { createBackend } from "./create-backend.ts";
import { type ObserverFactory, runGuarded } from "./guarded-task.ts";
import { loadPrices } from "./prices.ts";
import { withRunSettings } from "./run-settings.ts";

/** One pair of a run that was not started. */
export interface PairForecast extends Completion {
  /** Absent for a pair that is done, and for one that cannot be planned. */
  readonly plan?: Plan;
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];
}

/** What a run would do. Sizes in bytes. */
export interface RunForecast {
  readonly exitCode: ExitCode;
  readonly ceilingBytes: number;
  /** Pairs merged at the same time. */
  readonly parallelism: number;
  readonly pairs: readonly PairForecast[];
  readonly cost: CostForecast;
}

/** How a caller follows a dry run. */
export interface ForecastHooks {
  readonly observe: ObserverFactory;
  readonly onNotice: (text: string) => void;
}

/** Finds out what a run would do: reads footers and keys of every pair that is not done, and writes nothing. */
export async function forecastRun(given: StatedSettings, { observe, onNotice }: ForecastHooks): Promise<RunForecast> {
  const settings = await withPairs(await withRunSettings(given), onNotice);
  const store = createStore(settings);
  await keepApart(store, settings, settings.pairs);
  const prices = await loadPrices(settings);
  const platform = await createBackend(settings.backend, settings, observe);
  const { ceilingBytes, spot } = platform.capacity;
  const completions = await checkCompletions(store, settings, settings.pairs);
  const pairs: PairForecast[] = [];
  // One after the other: a plan takes memory too, and the ceiling holds for all plans together.
  for (const completion of completions) pairs.push(await forecastPair(completion, settings, ceilingBytes, observe));
  const planned = pairs.flatMap(({ pair, inputBytes, plan }) =>
    plan === undefined ? [] : [{ pair, inputBytes, ceilingBytes, spot, seconds: plan.predictedSeconds }],
  );
  return {
    exitCode: pairs.find((pair) => pair.exitCode !== ExitCode.done)?.exitCode ?? ExitCode.done,
    ceilingBytes,
    parallelism: parallelismOf(platform.capacity, planned.length, ceilingBytes),
    pairs,
    cost: forecastCost({ settings, platform, prices }, planned),
  };
}

async function forecastPair(
  completion: Completion,
  settings: Settings,
  ceilingBytes: number,
  observe: ObserverFactory,
): Promise<PairForecast> {
  if (completion.verdict === "done") return { ...completion, exitCode: ExitCode.done, problems: [] };
  const limited = { ...settings, memoryCeiling: settings.memoryCeiling === "auto" ? "auto" : ceilingBytes } as const;
  const task = { command: "plan", pair: completion.pair, settings: limited } as const;
  // The memory of a worker elsewhere says nothing about this machine, whose memory only limits the planning.
  const here = settings.backend === "local" ? limited : ({ ...limited, memoryCeiling: "auto", memoryFree: 0 } as const);
  const { report, exitCode, problems } = await runGuarded(task, here, observe(completion.pair));
  return { ...completion, exitCode, problems, ...(report?.command === "plan" ? { plan: report.plan } : {}) };
}
