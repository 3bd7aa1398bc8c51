import { largest } from "../../model/numbers.ts";
import type { MemoryTrace, Report } from "../../model/report.ts";
import { formatMemory, MiB } from "../../model/units.ts";
import type { Endings } from "../endings.ts";
import { drawSvg, noSplit, textStyle, valueAxis } from "./chart.ts";
import { faint, hue } from "./hue.ts";
import { formatAxis } from "./timeline.ts";

/** A pair's memory over time: a small chart beside the others, at the same scale. */
export interface MemoryPicture {
  readonly pair: string;
  readonly caption: string;
  readonly svg: string;
}

export interface MemoryPictures {
  readonly pictures: readonly MemoryPicture[];
  /** A paragraph about the scale and the colours. */
  readonly scale: string;
}

/** The pairs that have a chart. */
export const mostCharts = 60;
const width = 220;
const height = 120;
const mostPoints = 120;

/** The memory of each pair over time against its ceiling, all at one scale. */
export function drawMemory(report: Report, endings: Endings): MemoryPictures {
  const pairs = report.pairs
    .filter((pair) => pair.memory.some((trace) => trace.samples.length > 0))
    .slice(0, mostCharts);
  const traces = pairs.flatMap((pair) => pair.memory);
  const ceiling = largest(traces.map((trace) => trace.ceilingBytes));
  const peak = largest(traces.map((trace) => trace.peakBytes));
  // Far below the ceiling, a curve would be a flat line at the ceiling's scale.
  const far = peak < ceiling / 5;
  const top = niceTop(far ? peak * 1.2 : ceiling * 1.05);
  const pictures = pairs.map((pair, index) => ({
    pair: pair.pair,
    caption: `${formatMemory(pair.peakBytes ?? 0)} of ${formatMemory(pair.ceilingBytes ?? 0)}`,
    svg: drawTraces(`memory-${index}`, pair.memory, top, endings),
  }));
  return { pictures, scale: describeScale(far, peak, ceiling) };
}

function describeScale(far: boolean, peak: number, ceiling: number): string {
  const red = "Red: a failed attempt.";
  if (!far) return `All charts have the same scale; the dashed line is the ceiling. ${red}`;
  const times = peak === 0 ? "" : `, ${(ceiling / peak).toFixed(0)} times the largest working set`;
  return `All charts have the same scale, which ends far below the ceiling (${formatMemory(ceiling)}${times}). ${red}`;
}

/** The next of 1 or 1.5 times a power of two, so that the axis ends on a round number of MiB or GiB. */
function niceTop(bytes: number): number {
  const unit = 2 ** Math.floor(Math.log2(Math.max(bytes, MiB)));
  return [1, 1.5, 2].map((times) => times * unit).find((top) => top >= bytes) ?? 2 * unit;
}

function drawTraces(name: string, traces: readonly MemoryTrace[], top: number, endings: Endings): string {
  const end = Math.max(1e-3, largest(traces.flatMap((trace) => trace.samples.map(([seconds]) => seconds))));
  const ceiling = traces.at(-1)?.ceilingBytes ?? top;
  const curves = traces.map((trace) => {
    const colour = endings(trace.attempt).kind === "failed" ? hue.bad : hue.info;
    return curve(thin(trace.samples), colour, { width: 1.5 });
  });
  const limit = curve(
    [
      [0, ceiling],
      [end, ceiling],
    ],
    faint,
    { width: 1.2, type: "dashed" },
  );
  return drawSvg(name, width, height, {
    grid: { left: 4, right: 12, top: 8, bottom: 6, containLabel: true },
    xAxis: {
      ...valueAxis(formatAxis),
      ...noSplit,
      max: end,
      interval: end,
      axisLabel: { ...label(formatAxis), alignMinLabel: "left", alignMaxLabel: "right" },
    },
    yAxis: { ...valueAxis(formatMemory), max: top, interval: top / 2, axisLabel: label(roundMemory) },
    series: ceiling <= top ? [...curves, limit] : curves,
  });
}

function curve(data: readonly (readonly [number, number])[], color: string, style: object): object {
  const lineStyle = { color, ...style };
  return {
    type: "line",
    silent: true,
    showSymbol: false,
    data: data.map((point) => [...point]),
    lineStyle,
    itemStyle: { color },
  };
}

function label(formatter: (value: number) => string): object {
  return {
    ...textStyle,
    fontSize: 11,
    color: faint,
    formatter,
    hideOverlap: true,
    showMinLabel: true,
    showMaxLabel: true,
  };
}

function roundMemory(bytes: number): string {
  return bytes === 0
    ? "0"
    : formatMemory(bytes)
        .replace(/\.0+ /, " ")
        .replace(/(\.\d)0 /, "$1 ");
}

/** At most `mostPoints`, each the largest sample of its stretch, so that no peak is lost. */
function thin(samples: MemoryTrace["samples"]): readonly (readonly [number, number])[] {
  if (samples.length <= mostPoints) return samples;
  const step = samples.length / mostPoints;
  return Array.from({ length: mostPoints }, (_, index) => {
    const stretch = samples.slice(
      Math.floor(index * step),
      Math.max(Math.floor((index + 1) * step), Math.floor(index * step) + 1),
    );
    return stretch.reduce((best, sample) => (sample[1] > best[1] ? sample : best));
  });
}
