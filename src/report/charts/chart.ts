import type { EChartsCoreOption } from "echarts";
// One minified file: its hundreds of modules, loaded one by one, take 1 s and 46 MiB instead of 0.2 s and 8 MiB.
import { init, setPlatformAPI } from "echarts/dist/echarts.esm.min";
import { faint, ink, line } from "./hue.ts";

/** Width of a character as a part of the font's size: that of wide fonts, as the reader's font is unknown. */
const characterWidth = 0.64;
// Without a screen nothing measures text, and the renderer's own guess cuts labels off.
setPlatformAPI({ measureText: (text, font) => ({ width: text.length * characterWidth * sizeOf(font) }) });

function sizeOf(font: string | undefined): number {
  return Number(/(\d+(?:\.\d+)?)px/.exec(font ?? "")?.[1] ?? 12);
}

/** A picture in two widths: the style sheet shows the one that fits the screen. */
export interface Picture {
  readonly label: string;
  readonly wide: string;
  readonly narrow: string;
}

const wideWidth = 940;
const narrowWidth = 340;
export const textStyle = { fontFamily: "system-ui, sans-serif", fontSize: 12, color: ink };
export const noSplit = {
  splitLine: { show: false },
  axisTick: { show: false },
  axisLine: { lineStyle: { color: line } },
};

/** Draws the same thing for a desktop and for a phone. */
export function picture(
  name: string,
  label: string,
  height: number,
  option: (width: number) => EChartsCoreOption,
): Picture {
  return {
    label,
    wide: drawSvg(`${name}-wide`, wideWidth, height, option(wideWidth)),
    narrow: drawSvg(`${name}-narrow`, narrowWidth, height, option(narrowWidth)),
  };
}

/** SVG text of a chart; `name` makes its ids unique in the page. */
export function drawSvg(name: string, width: number, height: number, option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, backgroundColor: "transparent", textStyle, ...option });
    return tidy(chart.renderToSVGString(), name);
  } finally {
    chart.dispose();
  }
}

/**
 * What the renderer writes for scripts that are not there goes; its ids, numbered for as long as the process lives, get
 * the chart's name: the same report gives the same text. Quotes are escaped in texts, so none of this is found in one.
 */
function tidy(svg: string, name: string): string {
  return svg
    .replace(/<style >[\s\S]*?<\/style>\n?/, "")
    .replace(/ (?:class="zr\d+-cls-\d+"|pointer-events="visible"|ecmeta_\w+="\w*")/g, "")
    .replace(/( id="| clip-path="url\(#)zr\d+-/g, `$1${name}-`);
}

/** A legend on top that fits the width. */
export function legend(names: readonly string[]): EChartsCoreOption {
  return {
    data: [...names],
    top: 0,
    left: 0,
    itemWidth: 12,
    itemHeight: 12,
    itemGap: 14,
    textStyle,
    selectedMode: false,
  };
}

/** Rows of names from the top down. */
export function rows(names: readonly string[]): EChartsCoreOption {
  const axisLabel = { ...textStyle, interval: 0 };
  return { type: "category", inverse: true, data: [...names], ...noSplit, axisLabel };
}

/** A value axis with faint grid lines. */
export function values(format: (value: number) => string): EChartsCoreOption {
  const axisLabel = { ...textStyle, color: faint, formatter: format, hideOverlap: true };
  return { type: "value", min: 0, axisLabel, splitLine: { lineStyle: { color: line } } };
}

/** A step for an axis from 0 to a largest value: one of the steps, or a multiple of the last, at most so many times. */
export function stepOf(largest: number, most: number, steps: readonly number[]): number {
  const last = steps.at(-1) ?? 1;
  return steps.find((step) => largest / step <= most) ?? Math.ceil(largest / most / last) * last;
}
