import type { PriceList } from "../model/cost.ts";
import type { RunView } from "../model/run.ts";
import { buildReport } from "./build.ts";
import { renderCsv } from "./csv.ts";
import { renderHtml } from "./html.ts";

/** The documents of a run, by their names in the run's folder. The schema of `report.json` is `docs/report.schema.json`. */
export function renderDocuments(view: RunView, prices: PriceList): ReadonlyMap<string, string> {
  const report = buildReport(view, prices);
  return new Map([
    ...report.pairs.map(({ pair, cost }) => [`costs/${pair}.json`, `${JSON.stringify(cost, null, 1)}\n`] as const),
    ["report.csv", renderCsv(report)],
    ["report.json", `${JSON.stringify(report, undefined, 2)}\n`],
    ["report.html", renderHtml(report, view)],
  ]);
}
