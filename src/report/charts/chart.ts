import type { EChartsCoreOption } from "echarts";
// One minified file: its hundreds of modules, loaded one by one, take 1 s and 46 MiB instead of 0.2 s and 8 MiB.
import { init, setPlatformAPI } from "echarts/dist/echarts.esm.min";
import { faint, ink, line } from "./hue.ts";

/** Width of a character as a share of the font size. The reader's font is unknown, so this is the width in a wide font. */
const characterWidth = 0.64;
// Nothing measures text without a screen, and the renderer's own guess is too small: labels would be cut off.
setPlatformAPI({ measureText: (text, font) => ({ width: text.length * characterWidth * sizeOf(font) }) });

function sizeOf(font: string | undefined): number {
  return Number(/(\d+(?:\.\d+)?)px/.exec(font ?? "")?.[1] ?? 12);
}

/** SVG texts in two widths; the style sheet shows the one that fits the screen. */
export interface Picture {
  readonly label: string;
  readonly wide: string;
  readonly narrow: string;
}

/** The rows that a picture has at most. More would be slow to draw and too tall to read. */
export const mostRows = 100;

const wideWidth = 940;
const narrowWidth = 340;
export const textStyle = { fontFamily: "system-ui, sans-serif", fontSize: 12, color: ink };
export const noSplit = {
  splitLine: { show: false },
  axisTick: { show: false },
  axisLine: { lineStyle: { color: line } },
};

/** Draws one picture for desktops and one for phones. `name` makes ids unique in the page. */
export function drawPicture(
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
 * Removes what the renderer adds for scripts, and replaces its ids, which count up as long as the process lives, so that the
 * same report gives the same text. Quotes are escaped in texts, so none of the patterns matches inside of one.
 */
function tidy(svg: string, name: string): string {
  return svg
    .replace(/<style >[\s\S]*?<\/style>\n?/, "")
    .replace(/ (?:class="zr\d+-cls-\d+"|pointer-events="visible"|ecmeta_\w+="\w*")/g, "")
    .replace(/( id="| clip-path="url\(#)zr\d+-/g, `$1${name}-`);
}

/** A legend above the chart. */
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

/** A category axis with the names from top to bottom. */
export function nameAxis(names: readonly string[]): EChartsCoreOption {
  const axisLabel = { ...textStyle, interval: 0 };
  return { type: "category", inverse: true, data: [...names], ...noSplit, axisLabel };
}

/** An axis of values from 0, with faint grid lines. */
export function valueAxis(format: (value: number) => string): EChartsCoreOption {
  const axisLabel = { ...textStyle, color: faint, formatter: format, hideOverlap: true };
  return { type: "value", min: 0, axisLabel, splitLine: { lineStyle: { color: line } } };
}

/** The step of an axis from 0 to `largest` with at most `most` steps: one of `steps`, or a multiple of the last one. */
export function stepOf(largest: number, most: number, steps: readonly number[]): number {
  const last = steps.at(-1) ?? 1;
  return steps.find((step) => largest / step <= most) ?? Math.ceil(largest / most / last) * last;
}
