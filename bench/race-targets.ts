import { MiB } from "../src/model/units.ts";
import { toMebibytes, toSeconds, toTimes, type Verdict, verdict } from "./page.ts";
import { findScore, type Race, type Score } from "./race.ts";
import { fitLine } from "./statistics.ts";

/** Peaks and times of widemerge over a growing number of tables of one width. */
export interface Growth {
  readonly name: string;
  readonly points: readonly { readonly tables: number; readonly score: Score }[];
}

/** The targets that apply to this size. The tiny size only shows that the benchmark works. */
export function judgeRaces(size: string, races: readonly Race[], growths: readonly Growth[]): Verdict[] {
  const aligned = races.find(({ dataset }) => dataset.name === "aligned");
  const misaligned = races.find(({ dataset }) => dataset.name === "misaligned");
  return [
    ...(size === "full" && aligned ? judgeAgainstCopy(aligned, "aligned", 1.1, 0, 384 * MiB) : []),
    ...(size === "full" && misaligned ? judgeAgainstCopy(misaligned, "misaligned", 1.5, 25, 450 * MiB) : []),
    ...(size === "full" && misaligned ? judgeCpu(misaligned, 45) : []),
    ...(size === "small" && aligned ? judgeAgainstPeers(aligned) : []),
    ...(size === "small" && aligned ? judgeAgainstCopy(aligned, "aligned", 1.5, 0, 384 * MiB) : []),
    ...(size === "small" && misaligned ? judgeMisaligned(misaligned) : []),
    ...(size === "tiny" ? [] : growths.flatMap(judgeGrowth)),
  ];
}

/** Fair pairs: both flush to disk, or both leave it to the system. */
const copies = [
  ["widemerge --no-sync", "cat"],
  ["widemerge", "cat + fsync"],
] as const;

/** The wall time may be `factor` times the copy's, or `seconds` where that is more. */
function judgeAgainstCopy(race: Race, what: string, factor: number, seconds: number, bytes: number): Verdict[] {
  return copies.flatMap(([name, copyName]) => {
    const [own, copy] = [findScore(race, name), findScore(race, copyName)];
    const [time, copyTime] = [own?.seconds ?? Number.NaN, copy?.seconds ?? Number.NaN];
    const limit = `≤ ${factor} ×${seconds > 0 ? ` or ${seconds} s` : ""}`;
    const measured = `${toTimes(time / copyTime)}${seconds > 0 ? `, ${toSeconds(time)}` : ""}`;
    const peak = own?.peakBytes ?? Number.NaN;
    return [
      verdict(
        `${what}: ${name}, wall against ${copyName}`,
        limit,
        measured,
        time <= Math.max(factor * copyTime, seconds),
      ),
      verdict(`${what}: ${name}, peak memory`, `≤ ${toMebibytes(bytes)}`, toMebibytes(peak), peak <= bytes),
    ];
  });
}

function judgeCpu(race: Race, limit: number): Verdict[] {
  const seconds = findScore(race, "widemerge")?.cpuSeconds ?? Number.NaN;
  return [verdict("misaligned: widemerge, CPU", `≤ ${limit} s`, toSeconds(seconds), seconds <= limit)];
}

function findFastest(race: Race): Score | undefined {
  const peers = race.scores.filter(
    (score) => (score.kind === "join" || score.kind === "positional") && score.seconds !== undefined,
  );
  return peers.toSorted((left, right) => (left.seconds ?? 0) - (right.seconds ?? 0))[0];
}

function judgeMisaligned(race: Race): Verdict[] {
  const own = findScore(race, "widemerge --no-sync");
  const fastest = findFastest(race);
  const times = (peer: Score | undefined) => (peer?.seconds ?? Number.NaN) / (own?.seconds ?? Number.NaN);
  const [best, loop] = [times(fastest), times(findScore(race, "nodejs-polars, eager left joins"))];
  const peak = findScore(race, "widemerge")?.peakBytes ?? Number.NaN;
  const whom = `the fastest peer (${fastest?.name ?? "none ended well"})`;
  return [
    verdict(`misaligned, against ${whom}: faster`, "≥ 2 ×", `${best.toFixed(1)} ×`, best >= 2),
    verdict("misaligned, against the eager loop: faster", "≥ 4 ×", `${loop.toFixed(1)} ×`, loop >= 4),
    verdict("misaligned: widemerge, peak memory", "≤ 400 MiB", toMebibytes(peak), peak <= 400 * MiB),
  ];
}

function judgeAgainstPeers(race: Race): Verdict[] {
  // No peer flushes its output.
  const own = findScore(race, "widemerge --no-sync");
  const fastest = findFastest(race);
  const loop = findScore(race, "nodejs-polars, eager left joins");
  return [
    ...compare("the eager loop", own, loop, 8, 20),
    ...compare(`the fastest peer (${fastest?.name ?? "none ended well"})`, own, fastest, 2, 8),
  ];
}

function compare(
  whom: string,
  own: Score | undefined,
  peer: Score | undefined,
  speed: number,
  memory: number,
): Verdict[] {
  const faster = (peer?.seconds ?? Number.NaN) / (own?.seconds ?? Number.NaN);
  const smaller = (peer?.peakBytes ?? Number.NaN) / (own?.peakBytes ?? Number.NaN);
  return [
    verdict(`aligned, against ${whom}: faster`, `≥ ${speed} ×`, `${faster.toFixed(1)} ×`, faster >= speed),
    verdict(`aligned, against ${whom}: less memory`, `≥ ${memory} ×`, `${smaller.toFixed(1)} ×`, smaller >= memory),
  ];
}

function judgeGrowth({ name, points }: Growth): Verdict[] {
  const peaks = points.map(({ score }) => score.peakBytes ?? Number.NaN);
  const middle = (Math.min(...peaks) + Math.max(...peaks)) / 2;
  const spread = (Math.max(...peaks) - middle) / middle;
  const fit = fitLine(points.map(({ tables, score }) => [tables, score.seconds ?? Number.NaN] as const));
  return [
    verdict(`growth, ${name}: peak memory flat`, "± 20%", `± ${(spread * 100).toFixed(0)}%`, spread <= 0.2),
    verdict(`growth, ${name}: time linear`, "R² ≥ 0.97", `R² ${fit.toFixed(3)}`, fit >= 0.97),
  ];
}
