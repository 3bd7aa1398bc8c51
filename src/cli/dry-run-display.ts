import type { PairForecast, RunForecast } from "../app/dry-run.ts";
import { hasCosts } from "../cost/run-cost.ts";
import type { BackendName } from "../model/backend-name.ts";
import { fitsUnder } from "../model/guard.ts";
import { formatCount, formatMemory, formatNumber, formatSeconds } from "../model/units.ts";
import { describeProblems } from "../report/text/pair.ts";
import { describeForecast } from "../report/text/run.ts";

/** What a run would do, as lines without line breaks: one for the whole, one for each pair, and the costs. */
export function describeDryRun(forecast: RunForecast, backend: BackendName): string[] {
  const { pairs, ceilingBytes, parallelism, cost } = forecast;
  const planned = pairs.filter(({ plan }) => plan !== undefined).length;
  const head = `${formatCount(planned)} of ${formatNumber(pairs.length, "pair")} to merge on ${backend}, ${parallelism} at a time, each under a ceiling of ${formatMemory(ceilingBytes)}`;
  const costs = planned === 0 || !hasCosts(backend, cost) ? [] : ["", ...describeForecast(cost)];
  return [head, "", ...pairs.flatMap((pair) => describePair(pair, ceilingBytes)), ...costs];
}

function describePair({ pair, verdict, why, plan, problems }: PairForecast, ceilingBytes: number): string[] {
  const name = pair.padEnd(8);
  if (verdict === "done") return [`${name}done: ${why}`];
  if (plan === undefined) return [`${name}cannot be merged`, ...describeProblems(problems)];
  const aligned = plan.tables.filter(({ action }) => action === "align").length;
  const fits = fitsUnder(ceilingBytes, plan.predictedPeakBytes) ? "fits" : "does not fit";
  const parts = [
    `to do: ${why}`,
    `${formatNumber(plan.tables.length - aligned, "table")} spliced, ${formatCount(aligned)} aligned`,
    `predicted peak ${formatMemory(plan.predictedPeakBytes)}, ${fits}`,
    `about ${formatSeconds(plan.predictedSeconds)}`,
  ];
  return [`${name}${parts.join("  |  ")}`];
}
