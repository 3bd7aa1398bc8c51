import type { CustomSeriesRenderItem, EChartsCoreOption } from "echarts";
import { describeEnding, type Ending } from "../../model/ending.ts";
import { largest, smallest } from "../../model/numbers.ts";
import type { Report } from "../../model/report.ts";
import { type Endings, hueOf } from "../endings.ts";
import { drawPicture, legend, mostRows, nameAxis, type Picture, stepOf, valueAxis } from "./chart.ts";
import type { Hue } from "./hue.ts";

const rowHeight = 20;
/** Steps of a time axis in seconds: round numbers of seconds, minutes and hours. */
const timeSteps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];

/** An attempt as a bar: row, seconds from, seconds to. */
interface Bar {
  readonly ending: Ending;
  readonly value: readonly [number, number, number];
}

/** When each attempt of each pair ran; undefined before the first has started. */
export function drawTimeline(report: Report, endings: Endings): Picture | undefined {
  const started = report.pairs.filter((pair) => pair.cost.attempts.some((attempt) => attempt.start !== undefined));
  const pairs = started.slice(0, mostRows);
  if (pairs.length === 0) return undefined;
  const bars = placeBars(pairs, endings);
  const words = new Map(bars.map(({ ending }) => [describeEnding(ending), hueOf(ending)]));
  const end = Math.max(1, largest(bars.map((bar) => bar.value[2])));
  const option = (width: number): EChartsCoreOption => {
    const wide = width > 600;
    return {
      legend: legend([...words.keys()]),
      grid: { left: 8, right: 24, top: wide ? 32 : 64, bottom: 8, containLabel: true },
      xAxis: { position: "top", ...valueAxis(formatAxis), max: end, interval: stepOf(end, wide ? 9 : 4, timeSteps) },
      yAxis: nameAxis(pairs.map((pair) => pair.pair)),
      series: [...words].map(([name, colour]) => ({
        type: "custom",
        name,
        silent: true,
        itemStyle: { color: colour },
        renderItem: renderBar(colour),
        encode: { x: [1, 2], y: 0 },
        data: bars.filter((bar) => describeEnding(bar.ending) === name).map((bar) => [...bar.value]),
      })),
    };
  };
  return drawPicture("timeline", "When each attempt of each pair ran", pairs.length * rowHeight + 90, option);
}

function placeBars(pairs: Report["pairs"], endings: Endings): Bar[] {
  const starts = pairs.flatMap((pair) => pair.cost.attempts.flatMap((attempt) => attempt.start ?? []));
  const first = smallest(starts.map((start) => Date.parse(start)));
  return pairs.flatMap((pair, row) =>
    pair.cost.attempts.flatMap(({ id, start, seconds }): Bar[] => {
      if (start === undefined) return [];
      const from = (Date.parse(start) - first) / 1000;
      return [{ ending: endings(id), value: [row, from, from + seconds] }];
    }),
  );
}

function renderBar(fill: Hue): CustomSeriesRenderItem {
  return (_, api) => {
    const [left = 0, y = 0] = api.coord([api.value(1), api.value(0)]);
    const [right = 0] = api.coord([api.value(2), api.value(0)]);
    const height = rowHeight * 0.62;
    const shape = { x: left, y: y - height / 2, width: Math.max(2, right - left), height, r: 2 };
    return { type: "rect", shape, style: { fill } };
  };
}

/** Seconds on an axis: "40 s", "5 min", "1.5 h". */
export function formatAxis(seconds: number): string {
  if (seconds === 0) return "0";
  if (seconds >= 3600) return `${Number((seconds / 3600).toFixed(2))} h`;
  if (seconds >= 60) return `${Number((seconds / 60).toFixed(1))} min`;
  return `${Number(seconds.toPrecision(2))} s`;
}
