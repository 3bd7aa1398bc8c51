import type { Settings } from "../config/settings.ts";
import { listUnpriced } from "../cost/cost-lines.ts";
import { predictCost } from "../cost/forecast.ts";
import { costOfRun } from "../cost/run-cost.ts";
import type { CostForecast, CostLine, PriceList } from "../model/cost.ts";
import { isOver } from "../model/ending.ts";
import { ExitCode } from "../model/exit-code.ts";
import { failOn } from "../model/failure.ts";
import { largest } from "../model/numbers.ts";
import type { RunView } from "../model/run.ts";
import { isGcsPath } from "../model/storage-path.ts";
import { type CostGuard, type PlannedStart, parallelismOf } from "../run/launch.ts";
import type { Platform } from "./create-backend.ts";

/** What a forecast of costs is made from. */
export interface ForecastBasis {
  readonly settings: Settings;
  readonly platform: Pick<Platform, "capacity" | "vcpu">;
  readonly prices: PriceList;
}

/** What a run has cost and will still cost, in US$ by the price list. */
export function guardCost(basis: ForecastBasis): CostGuard {
  const { settings, prices } = basis;
  return {
    spent: (view) => costOfRun(view, prices).estimated.usd,
    remaining: (view, open, starts) => {
      const { pairs, lines } = forecastCost(basis, [...open, ...starts]);
      if (settings.maxCost !== undefined) refuseUnpriced([...pairs.flatMap((it) => it.lines), ...lines], prices);
      const spent = new Map(costOfRun(keepUnfinished(view), prices).pairs.map((it) => [it.pair, it.estimated.usd]));
      const isOpen = new Set(open.map(({ pair }) => pair));
      const left = pairs.map((it) => it.estimated.usd - (isOpen.has(it.pair) ? (spent.get(it.pair) ?? 0) : 0));
      const shared = lines.reduce((sum, { usd = 0 }) => sum + usd, 0);
      return left.reduce((sum, usd) => sum + Math.max(0, usd), shared);
    },
  };
}

/** A run with only those of its attempts that have not ended. */
function keepUnfinished(view: RunView): RunView {
  const pairs = view.pairs.map((pair) => ({ ...pair, attempts: pair.attempts.filter((attempt) => !isOver(attempt)) }));
  return { ...view, pairs };
}

/** A sum without one of its items cannot guard a limit. @throws Failure (usage) */
function refuseUnpriced(lines: readonly CostLine[], { name }: PriceList): void {
  const what = `--max-cost needs a price that the price list ${name} lacks`;
  const fix = "add it to your own price list (--prices), or leave out --max-cost";
  failOn(
    ExitCode.usage,
    listUnpriced(lines).map((item) => ({ what, found: `no price for ${item}`, fix })),
  );
}

/** Bytes a second that a merge reads from an ordinary disk, and over a network. */
const diskRate = 600e6;
const networkRate = 100e6;

/** A rough guess of the seconds that a merge takes while only the size of its input is known. */
function guessSeconds(inputBytes: number, overNetwork: boolean): number {
  return 0.5 + inputBytes / (overNetwork ? networkRate : diskRate);
}

/** The cost of these starts; `seconds` where a pair was planned, otherwise guessed from its size. */
export function forecastCost(
  { settings, platform, prices }: ForecastBasis,
  starts: readonly (PlannedStart & { readonly seconds?: number })[],
): CostForecast {
  const { backend, input, output } = settings;
  const { capacity, vcpu } = platform;
  const largestCeiling = Math.max(capacity.ceilingBytes, largest(starts.map(({ ceilingBytes }) => ceilingBytes)));
  return predictCost(
    {
      backend,
      output,
      parallelism: parallelismOf(capacity, starts.length, largestCeiling),
      pairs: starts.map(({ pair, inputBytes, ceilingBytes, spot, seconds }) => ({
        pair,
        seconds: seconds ?? guessSeconds(inputBytes, isGcsPath(input)),
        vcpu,
        memoryBytes: ceilingBytes,
        spot,
        outputBytes: inputBytes,
      })),
    },
    prices,
  );
}
