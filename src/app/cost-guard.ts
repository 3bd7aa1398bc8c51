import type { Settings } from "../config/settings.ts";
import { predictCost } from "../cost/forecast.ts";
import { costOfRun } from "../cost/run-cost.ts";
import type { CostForecast, PriceList } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { failOn } from "../model/failure.ts";
import { isGcsPath } from "../model/storage-path.ts";
import type { CostGuard, PlannedPair } from "../run/options.ts";
import type { Platform } from "./create-backend.ts";

/** What a forecast of costs is made from. */
export interface ForecastBasis {
  readonly settings: Settings;
  readonly platform: Pick<Platform, "capacity" | "vcpu">;
  readonly prices: PriceList;
}

/** What a run has cost so far and what further starts would cost, in US$ by the price list. */
export function guardCost(basis: ForecastBasis): CostGuard {
  const { settings, prices } = basis;
  return {
    spent: (view) => costOfRun(view, prices).estimated.usd,
    estimate: (pairs, ceilingBytes) => {
      const { usd, missing } = forecastCost(basis, pairs, ceilingBytes).estimated;
      if (settings.maxCost !== undefined) refuseUnpriced(missing, prices);
      return usd;
    },
  };
}

/** A sum without one of its items cannot guard a limit. @throws Failure (usage) */
function refuseUnpriced(missing: readonly string[], { name }: PriceList): void {
  const unpriced = missing.filter((gap) => gap.startsWith("no price"));
  const fix = "add it to your own price list (--prices), or leave out --max-cost";
  failOn(
    ExitCode.usage,
    unpriced.map((found) => ({ what: `--max-cost cannot be kept with the price list ${name}`, found, fix })),
  );
}

/** Bytes a second that a merge reads from an ordinary disk, and over a network. */
const diskRate = 600e6;
const networkRate = 100e6;

/** A rough guess of the seconds that a merge takes while only the size of its input is known. */
function guessSeconds(inputBytes: number, overNetwork: boolean): number {
  return 0.5 + inputBytes / (overNetwork ? networkRate : diskRate);
}

/** The cost of starting these pairs once; `seconds` where a pair was planned, otherwise guessed from its size. */
export function forecastCost(
  { settings, platform, prices }: ForecastBasis,
  pairs: readonly (PlannedPair & { readonly seconds?: number })[],
  ceilingBytes: number,
): CostForecast {
  const { backend, input, output } = settings;
  const { capacity, vcpu } = platform;
  return predictCost(
    {
      backend,
      output,
      spot: capacity.spot,
      parallelism: capacity.parallelism(pairs.length, ceilingBytes),
      pairs: pairs.map(({ pair, inputBytes, seconds }) => ({
        pair,
        seconds: seconds ?? guessSeconds(inputBytes, isGcsPath(input)),
        vcpu,
        memoryBytes: ceilingBytes,
        outputBytes: inputBytes,
      })),
    },
    prices,
  );
}
