import type { EChartsCoreOption } from "echarts";
import { largest } from "../../model/numbers.ts";
import type { Report, ReportPair } from "../../model/report.ts";
import { formatCount } from "../../model/units.ts";
import type { Endings } from "../endings.ts";
import { formatUsd } from "../format.ts";
import { drawPicture, legend, mostRows, nameAxis, type Picture, stepOf, valueAxis } from "./chart.ts";
import { type Hue, hue } from "./hue.ts";

const rowHeight = 22;
const mostFamilies = 14;

/** Horizontal bars, one for each row, stacked from layers. */
interface Bars<Row> {
  readonly name: string;
  /** For readers who cannot see the picture. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly nameRow: (row: Row) => string;
  readonly layers: readonly Layer<Row>[];
  readonly formatValue: (value: number) => string;
}

interface Layer<Row> {
  readonly name: string;
  readonly colour: Hue;
  readonly measure: (row: Row) => number;
}

/** The cost of each pair, the most expensive first, and how much of it went into failed attempts; undefined if it is $0. */
export function drawCosts(report: Report, endings: Endings): Picture | undefined {
  const rows = report.pairs
    .filter((pair) => pair.cost.estimated.usd > 0)
    .toSorted((left, right) => right.cost.estimated.usd - left.cost.estimated.usd)
    .slice(0, mostRows);
  if (rows.length === 0) return undefined;
  return drawBars<ReportPair>({
    name: "cost",
    label: "Estimated cost of each pair in US dollars",
    rows,
    nameRow: ({ pair, cost }) => `${pair}  ${formatUsd(cost.estimated.usd)}`,
    layers: [
      { name: "succeeded or running attempts", colour: hue.good, measure: (pair) => spent(pair, endings, false) },
      { name: "failed attempts", colour: hue.bad, measure: (pair) => spent(pair, endings, true) },
    ],
    formatValue: formatAxisUsd,
  });
}

/** US dollars of a pair's failed attempts, or of all others. */
function spent(pair: ReportPair, endings: Endings, failed: boolean): number {
  const attempts = pair.cost.attempts.filter(({ id }) => (endings(id).kind === "failed") === failed);
  return attempts.reduce((sum, attempt) => sum + attempt.estimated.usd, 0);
}

type Family = Report["totals"]["families"][number];

/** Spliced and aligned tables of the largest families; undefined before a pair is done. */
export function drawFamilies(families: readonly Family[]): Picture | undefined {
  const tablesOf = ({ spliced, aligned }: Family): number => spliced + aligned;
  const rows = families.toSorted((left, right) => tablesOf(right) - tablesOf(left)).slice(0, mostFamilies);
  if (rows.length === 0) return undefined;
  return drawBars<Family>({
    name: "families",
    label: "Tables spliced and aligned, by family",
    rows,
    nameRow: (row) => `${row.family}  ${formatCount(tablesOf(row))}`,
    layers: [
      { name: "spliced", colour: hue.good, measure: ({ spliced }) => spliced },
      { name: "aligned", colour: hue.warn, measure: ({ aligned }) => aligned },
    ],
    formatValue: formatCount,
  });
}

function drawBars<Row>({ name, label, rows, nameRow, layers, formatValue }: Bars<Row>): Picture {
  const whole = layers.every(({ measure }) => rows.every((row) => Number.isInteger(measure(row))));
  const longest = largest(rows.map((row) => layers.reduce((sum, { measure }) => sum + measure(row), 0)));
  const option = (width: number): EChartsCoreOption => {
    const wide = width > 600;
    const step = niceStep(longest, wide ? 8 : 3, whole);
    return {
      legend: legend(layers.map((layer) => layer.name)),
      grid: { left: 8, right: 30, top: wide ? 28 : 24 * layers.length, bottom: 4, containLabel: true },
      xAxis: { ...valueAxis(formatValue), max: Math.ceil(longest / step - 1e-9) * step, interval: step },
      yAxis: nameAxis(rows.map((row) => shorten(nameRow(row)))),
      series: layers.map((layer) => ({
        type: "bar",
        name: layer.name,
        stack: "all",
        silent: true,
        barMaxWidth: 14,
        itemStyle: { color: layer.colour },
        data: rows.map(layer.measure),
      })),
    };
  };
  return drawPicture(name, label, rows.length * rowHeight + 80, option);
}

/** A step of 1, 2 or 5 times a power of ten; at least 1 for whole numbers. */
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
