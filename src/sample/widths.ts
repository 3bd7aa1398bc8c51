import { sum } from "../model/numbers.ts";
import { createRandom, shuffle } from "./random.ts";

/** Feature tables of a full checkpoint. */
export const fullTables = 667;
/** Feature columns of a full checkpoint. */
const fullColumns = 16_988;

/** Number of columns of the table at this position, with tables sorted by width: minimum, median, 90th percentile, maximum. */
const knots = [
  { place: 0, width: 4 },
  { place: 333, width: 14 },
  { place: 599, width: 64 },
  { place: 600, width: 64 },
  { place: 666, width: 232 },
] as const;

/** Feature columns of each of the 667 tables, ascending: min 4, median 14, p90 64, max 232, sum 16,988. */
export function fullWidths(): number[] {
  let [straight, bent] = [1, 4];
  for (let step = 0; step < 40; step += 1) {
    const middle = (straight + bent) / 2;
    if (sum(curve(middle)) > fullColumns) straight = middle;
    else bent = middle;
  }
  return topUp(curve(bent));
}

/** Widths of `tables` tables: even quantiles of the full distribution, halved to keep a demonstration small. */
function modestWidths(tables: number): number[] {
  const full = fullWidths();
  const quantile = (table: number): number => full[Math.floor(((table + 0.5) * full.length) / tables)] ?? 0;
  return Array.from({ length: tables }, (_, table) => Math.max(4, Math.round(quantile(table) / 2)));
}

/** Widths of that many tables, ascending, or of a full checkpoint. */
export function widthsOf(tables: number | "full"): number[] {
  return tables === "full" ? fullWidths() : modestWidths(tables);
}

/** The widths in the order in which tables use them: wide and narrow ones mixed, always in the same way. */
export function mixWidths(widths: readonly number[]): number[] {
  return shuffle(widths, createRandom("widths"));
}

/** Geometric growth from knot to knot. A larger exponent moves the growth to later tables and makes the sum smaller. */
function curve(exponent: number): number[] {
  return Array.from({ length: fullTables }, (_, place) => {
    const next = knots.findIndex((knot) => knot.place >= place);
    const after = Math.max(1, next);
    const [left, right] = [knots[after - 1] ?? knots[0], knots[after] ?? knots[4]];
    const share = (place - left.place) / (right.place - left.place);
    return Math.round(left.width * (right.width / left.width) ** (share ** exponent));
  });
}

/** Adds the columns lost by rounding to the widest tables below the maximum, which does not change the order statistics. */
function topUp(widths: number[]): number[] {
  let missing = fullColumns - sum(widths);
  for (let place = knots[4].place - 1; missing > 0 && place > knots[3].place; place -= 1) {
    const room = (widths[place + 1] ?? 0) - (widths[place] ?? 0);
    const added = Math.min(missing, room);
    widths[place] = (widths[place] ?? 0) + added;
    missing -= added;
  }
  return widths;
}
