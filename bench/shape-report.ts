import { formatCount } from "../src/model/units.ts";
import type { Machine } from "./machine.ts";
import type { Caps } from "./measure.ts";
import { renderTable, renderVerdicts, toTimes, type Verdict } from "./page.ts";
import type { Race } from "./race.ts";
import { describeScore, renderMethod, renderRace } from "./race-report.ts";
import { type Comparison, ownScore, type RowGrowth } from "./shape-targets.ts";

/** Everything that was measured on shapes. */
export interface ShapeResults {
  readonly size: string;
  readonly date: string;
  readonly rounds: number;
  readonly caps: Caps;
  readonly machine: Machine;
  readonly growth?: RowGrowth;
  readonly comparisons: readonly Comparison[];
  readonly races: readonly Race[];
  readonly verdicts: readonly Verdict[];
}

const head = ["wall time", "CPU", "peak memory", "private"];

/** The results as a Markdown page. */
export function renderShapes(results: ShapeResults): string {
  return [
    `# Benchmark of shapes, size ${results.size}`,
    "",
    "Every feature table is misaligned: it lacks every hundredth row of the targets. The tables of a dataset are copies of one.",
    "",
    ...renderMethod(results),
    "",
    ...renderVerdicts(results.verdicts),
    ...(results.growth === undefined ? [] : [...renderGrowth(results.growth), ""]),
    ...results.comparisons.flatMap((comparison) => [...renderComparison(comparison), ""]),
    ...results.races.flatMap((race) => [...renderRace(race, `Encodings: ${race.dataset.name}`), ""]),
  ].join("\n");
}

function renderGrowth({ tables, columns, longGroupRows, points }: RowGrowth): string[] {
  const lines = points.map(({ rows, race }) => [
    formatCount(rows),
    toGigabytes(race.dataset.bytes),
    ...describeScore(ownScore(race)),
  ]);
  return [
    `## Growth in rows: ${tables} tables × ${columns} columns, row groups of at most ${formatCount(longGroupRows)} rows`,
    "",
    ...renderTable(["rows", "inputs", ...head], lines),
  ];
}

function renderComparison({ subject, reference }: Comparison): string[] {
  const base = ownScore(reference.race)?.seconds;
  const lines = [subject, reference].map(({ shape, race }) => {
    const { seconds } = ownScore(race) ?? {};
    const ratio = seconds === undefined || base === undefined ? "" : toTimes(seconds / base);
    return [shape, toGigabytes(race.dataset.bytes), ...describeScore(ownScore(race)), ratio];
  });
  return [
    `## ${subject.shape}, against ${reference.shape}`,
    "",
    ...renderTable(["", "inputs", ...head, "time / the second"], lines),
  ];
}

function toGigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
