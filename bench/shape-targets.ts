import { availableParallelism } from "node:os";
import { formatCount } from "../src/model/units.ts";
import { toMebibytes, toSeconds, toTimes, type Verdict, verdict } from "./page.ts";
import { findScore, type Race, type Score } from "./race.ts";
import { fitLine } from "./statistics.ts";

/** Tables of one width with more and more rows. */
export interface RowGrowth {
  readonly tables: number;
  readonly columns: number;
  /** Rows of a row group where a table has more. */
  readonly longGroupRows: number;
  readonly points: readonly { readonly rows: number; readonly race: Race }[];
}

/** About the same bytes in two shapes, side by side. */
export interface Comparison {
  readonly subject: { readonly shape: string; readonly race: Race };
  readonly reference: { readonly shape: string; readonly race: Race };
}

/** The targets of the shapes. */
export function judgeShapes(
  growth: RowGrowth | undefined,
  comparisons: readonly Comparison[],
  races: readonly Race[],
): Verdict[] {
  return [
    ...(growth === undefined ? [] : judgeGrowth(growth)),
    ...comparisons.map(judgeComparison),
    ...races.map(judgeRace),
  ];
}

export function ownScore(race: Race): Score | undefined {
  return findScore(race, "widemerge");
}

/** Bytes of a row in a key vector: 8 as words, 16 as byte arrays or with the runs of its match. */
const keyVectorBytes = 16;
/** The targets' key, and that of all tables, which are copies. */
const keyVectors = 2;
/** One column of one row group while it is gathered: as it is stored, unpacked, decoded with its positions, encoded again. */
const copies = 5;

function judgeGrowth({ points, longGroupRows }: RowGrowth): Verdict[] {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return [];
  const fit = fitLine(points.map(({ rows, race }) => [rows, ownScore(race)?.seconds ?? Number.NaN] as const));
  const peak = ownScore(last.race)?.peakBytes ?? Number.NaN;
  const group = 8 * Math.min(last.rows, longGroupRows);
  const bound =
    (ownScore(first.race)?.peakBytes ?? Number.NaN) +
    availableParallelism() * copies * group +
    keyVectors * keyVectorBytes * last.rows;
  const what = `growth in rows, at ${formatCount(last.rows)} rows`;
  const meaning = `≤ ${toMebibytes(bound)}: the smallest, a row group of a column a thread, ${keyVectorBytes} bytes a row and key vector`;
  return [
    verdict("growth in rows: time linear", "R² ≥ 0.97", `R² ${fit.toFixed(3)}`, fit >= 0.97),
    verdict(`${what}: peak memory`, meaning, toMebibytes(peak), peak <= bound),
  ];
}

function judgeComparison({ subject, reference }: Comparison): Verdict {
  const perByte = ({ race }: Comparison["subject"]) => (ownScore(race)?.seconds ?? Number.NaN) / race.dataset.bytes;
  const ratio = perByte(subject) / perByte(reference);
  return verdict(`${subject.shape}: time a byte, against ${reference.shape}`, "≤ 2 ×", toTimes(ratio), ratio <= 2);
}

function judgeRace(race: Race): Verdict {
  // No peer flushes its output.
  const own = findScore(race, "widemerge --no-sync")?.seconds ?? Number.NaN;
  const peers = race.scores.filter(({ kind, seconds }) => kind === "join" && seconds !== undefined);
  const fastest = peers.toSorted((left, right) => (left.seconds ?? 0) - (right.seconds ?? 0))[0];
  const other = fastest?.seconds ?? Number.NaN;
  const whom = fastest === undefined ? "the fastest peer: none ended well" : `the fastest peer (${fastest.name})`;
  const measured = `${toTimes(other / own)}, ${toSeconds(own)}`;
  return verdict(`${race.dataset.name}: faster than ${whom}`, "≥ 1 ×", measured, own <= other);
}
