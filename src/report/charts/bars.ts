import type { EChartsCoreOption } from "echarts";
import { formatUsd } from "../../cost/money.ts";
import type { Report, ReportPair } from "../../model/report.ts";
import { formatCount } from "../../model/units.ts";
import type { Endings } from "../endings.ts";
import { legend, type Picture, picture, rows, stepOf, values } from "./chart.ts";
import { type Hue, hue } from "./hue.ts";

const rowHeight = 22;
const mostFamilies = 14;

/** One kind of bar in a stack: its name, its colour, a value a row. */
interface Layer {
  readonly name: string;
  readonly colour: Hue;
  readonly values: readonly number[];
}

/** What each pair cost, and how much of it was lost; undefined when nothing has cost anything. */
export function drawCosts(report: Report, endings: Endings): Picture | undefined {
  const pairs = report.pairs
    .filter((pair) => pair.cost.estimated.usd > 0)
    .toSorted((left, right) => right.cost.estimated.usd - left.cost.estimated.usd);
  if (pairs.length === 0) return undefined;
  const layers = [
    {
      name: "attempts that ended well or still run",
      colour: hue.good,
      values: pairs.map((pair) => spent(pair, endings, false)),
    },
    { name: "attempts that failed", colour: hue.bad, values: pairs.map((pair) => spent(pair, endings, true)) },
  ];
  const names = pairs.map((pair) => `${pair.pair}  ${formatUsd(pair.cost.estimated.usd)}`);
  return stack("cost", "Estimated cost of each pair in US dollars", names, layers, formatAxisUsd);
}

/** US dollars of a pair's attempts, failed ones or all others. */
function spent(pair: ReportPair, endings: Endings, failed: boolean): number {
  const attempts = pair.cost.attempts.filter(({ id }) => (endings(id).kind === "failed") === failed);
  return attempts.reduce((sum, attempt) => sum + attempt.estimated.usd, 0);
}

/** Tables that were spliced and aligned, by family; undefined before a pair is done. */
export function drawFamilies(report: Report): Picture | undefined {
  const families = report.totals.families
    .toSorted((left, right) => right.spliced + right.aligned - left.spliced - left.aligned)
    .slice(0, mostFamilies);
  if (families.length === 0) return undefined;
  const layers = [
    { name: "spliced", colour: hue.good, values: families.map((family) => family.spliced) },
    { name: "aligned", colour: hue.warn, values: families.map((family) => family.aligned) },
  ];
  const names = families.map(({ family, spliced, aligned }) => `${family}  ${formatCount(spliced + aligned)}`);
  return stack("families", "Tables spliced and aligned, by family", names, layers, formatCount);
}

/** Failed attempts by cause; undefined when none failed. */
export function drawFailures(report: Report): Picture | undefined {
  const failures = Object.entries(report.totals.failures).toSorted((left, right) => right[1] - left[1]);
  if (failures.length === 0) return undefined;
  const layers = [{ name: "failed attempts", colour: hue.bad, values: failures.map(([, count]) => count) }];
  const names = failures.map(([cause, count]) => `${cause}  ${formatCount(count)}`);
  return stack("failures", "Failed attempts by cause", names, layers, formatCount);
}

function stack(
  name: string,
  label: string,
  names: readonly string[],
  layers: readonly Layer[],
  format: (value: number) => string,
): Picture {
  const whole = layers.every((layer) => layer.values.every(Number.isInteger));
  const largest = Math.max(...names.map((_, row) => layers.reduce((sum, layer) => sum + (layer.values[row] ?? 0), 0)));
  const option = (width: number): EChartsCoreOption => {
    const wide = width > 600;
    const step = niceStep(largest, wide ? 8 : 3, whole);
    const top = layers.length === 1 ? 4 : wide ? 28 : 24 * layers.length;
    return {
      ...(layers.length === 1 ? {} : { legend: legend(layers.map((layer) => layer.name)) }),
      grid: { left: 8, right: 30, top, bottom: 4, containLabel: true },
      xAxis: { ...values(format), max: Math.ceil(largest / step - 1e-9) * step, interval: step },
      yAxis: rows(names.map(shorten)),
      series: layers.map((layer) => ({
        type: "bar",
        name: layer.name,
        stack: "all",
        silent: true,
        barMaxWidth: 14,
        itemStyle: { color: layer.colour },
        data: [...layer.values],
      })),
    };
  };
  return picture(name, label, names.length * rowHeight + 80, option);
}

/** A step of 1, 2 or 5 times a power of ten; at least 1 where counts are drawn. */
function niceStep(largest: number, most: number, whole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(largest / most));
  const step = stepOf(largest, most, [power, 2 * power, 5 * power, 10 * power]);
  return whole ? Math.max(1, step) : step;
}

/** US dollars on an axis, without rounding: "$0.005". */
function formatAxisUsd(usd: number): string {
  return `$${Number(usd.toPrecision(3))}`;
}

function shorten(name: string): string {
  return name.length <= 32 ? name : `${name.slice(0, 31)}…`;
}
