import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Settings } from "../config/settings.ts";
import { predictCost } from "../cost/forecast.ts";
import { parsePrices } from "../cost/prices.ts";
import { costOfRun } from "../cost/run-cost.ts";
import type { PriceList } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, failOn } from "../model/failure.ts";
import type { RunView } from "../model/run.ts";
import { isGcsPath } from "../model/storage-path.ts";
import type { Capacity, CostGuard, PlannedPair } from "../run/options.ts";

const shippedPrices = fileURLToPath(new URL("../../prices/google-us-central1.yaml", import.meta.url));

/** The price list in force. @throws Failure (usage) when it cannot be read. */
export async function loadPrices({ prices = shippedPrices }: Pick<Settings, "prices">): Promise<PriceList> {
  const text = await readFile(prices, "utf8").catch((error: Error) => {
    const fix = "give a YAML file like prices/google-us-central1.yaml to --prices";
    throw new Failure(ExitCode.usage, [{ what: `no price list ${prices}`, found: error.message, fix }]);
  });
  return parsePrices(text, prices);
}

/**
 * Every document of a run, by its name in the run's folder. The renderers are loaded when they are needed. The controller
 * draws in its own process: 27 pairs took it from 89 MiB to 107 MiB in 0.9 s; a second process took 109 MiB of its own.
 */
export async function renderDocuments(view: RunView, prices: PriceList): Promise<ReadonlyMap<string, string>> {
  const [{ buildReport }, { renderCsv }, { renderHtml }, { renderJson }] = await Promise.all([
    import("../report/build.ts"),
    import("../report/csv.ts"),
    import("../report/html.ts"),
    import("../report/json.ts"),
  ]);
  const report = buildReport(view, prices);
  const costs = report.pairs.map(({ pair, cost }) => [`costs/${pair}.json`, toText(cost)] as const);
  return new Map([
    ...costs,
    ["report.csv", renderCsv(report)],
    ["report.json", renderJson(report)],
    ["report.html", renderHtml(report, view)],
  ]);
}

function toText(document: object): string {
  return `${JSON.stringify(document, null, 1)}\n`;
}

/** What a run has cost and what more of it would cost, in $ by the price list. */
export function guardCost(settings: Settings, capacity: Capacity, vcpu: number, prices: PriceList): CostGuard {
  return {
    spent: (view) => costOfRun(view, prices).estimated.usd,
    estimate: (pairs, ceilingBytes) => {
      const { usd, missing } = forecast(pairs, ceilingBytes).estimated;
      if (settings.maxCost !== undefined) refuseUnpriced(missing, prices);
      return usd;
    },
  };

  function forecast(pairs: readonly PlannedPair[], memoryBytes: number): ReturnType<typeof predictCost> {
    return forecastRun({ settings, capacity, vcpu, prices, memoryBytes }, pairs);
  }
}

/** A sum that leaves something out is no guard. @throws Failure (usage) */
function refuseUnpriced(missing: readonly string[], { name }: PriceList): void {
  const unpriced = missing.filter((gap) => gap.startsWith("no price"));
  const fix = "add it to a price list of your own (--prices), or leave out --max-cost";
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

/** What a forecast is made of. */
export interface ForecastParts {
  readonly settings: Settings;
  readonly capacity: Capacity;
  readonly vcpu: number;
  readonly prices: PriceList;
  /** Ceiling of each pair. */
  readonly memoryBytes: number;
}

/** The cost of starting these pairs once; `seconds` where they were planned, else guessed from their size. */
export function forecastRun(
  { settings, capacity, vcpu, prices, memoryBytes }: ForecastParts,
  pairs: readonly (PlannedPair & { readonly seconds?: number })[],
): ReturnType<typeof predictCost> {
  const { backend, input, output } = settings;
  return predictCost(
    {
      backend,
      output,
      spot: capacity.spot,
      parallelism: capacity.parallelism(pairs.length, memoryBytes),
      pairs: pairs.map(({ pair, inputBytes, seconds }) => ({
        pair,
        seconds: seconds ?? guessSeconds(inputBytes, isGcsPath(input)),
        vcpu,
        memoryBytes,
        outputBytes: inputBytes,
      })),
    },
    prices,
  );
}
