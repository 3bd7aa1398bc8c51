import { formatCount, GiB } from "../src/model/units.ts";
import type { Machine } from "./machine.ts";
import type { Caps } from "./measure.ts";
import { renderTable, renderVerdicts, toMebibytes, toSeconds, toTimes, type Verdict } from "./page.ts";
import { findScore, type Race, type Score } from "./race.ts";
import type { Growth } from "./race-targets.ts";

/** Everything that the races measured. */
export interface RaceResults {
  readonly size: string;
  readonly date: string;
  readonly data: string;
  readonly rounds: number;
  readonly caps: Caps;
  readonly machine: Machine;
  readonly races: readonly Race[];
  readonly growths: readonly Growth[];
  readonly verdicts: readonly Verdict[];
}

/** The results as a Markdown page. */
export function renderRaces(results: RaceResults): string {
  return [
    `# Benchmark, size ${results.size}`,
    "",
    ...renderFacts(results),
    "",
    ...renderVerdicts(results.verdicts),
    ...results.races.flatMap((race) => [...renderRace(race), ""]),
    ...results.growths.flatMap((growth) => [...renderGrowth(growth), ""]),
  ].join("\n");
}

function renderFacts(results: RaceResults): string[] {
  const [machine = "", ...method] = renderMethod(results);
  return [machine, "", `Data: \`${results.data}\`.`, ...method];
}

/** The machine, how often and how runs are measured, and their limits. */
export function renderMethod({
  date,
  machine,
  rounds,
  caps,
}: Pick<RaceResults, "date" | "machine" | "rounds" | "caps">): string[] {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, ${toGibibytes(machine.memoryBytes)}, ${machine.system}, ${machine.disk}, Node ${machine.node}; ${versions.join(", ")}.`,
    "",
    `${rounds === 1 ? "One run each" : `Medians of ${rounds} runs`}, interleaved; a tool that takes more than a minute runs once. Before every run of every tool, \`sync\` is called and the inputs are read once, so that the page cache is warm as far as they fit. Outputs are removed after every run.`,
    "",
    `Memory is the largest sum of the resident sets of all processes of a tool, sampled every 20 ms, and at least the kernel's high-water mark of its largest process; "private" excludes pages mapped from files. CPU is the time of all processes of a tool, in user and in kernel mode. Every tool runs with RLIMIT_DATA at ${toGibibytes(caps.dataBytes)} per process, at most ${toGibibytes(caps.totalBytes)} in total, and at most ${caps.seconds / 60} minutes. Outputs are compared with DuckDB's join of the inputs: rows, columns, and digests of several columns.`,
  ];
}

/** A table of all contenders in a race. */
export function renderRace(race: Race, title = `Every table ${race.dataset.name}`): string[] {
  const { dataset, rows, columns } = race;
  const [own, copy] = [findScore(race, "widemerge"), findScore(race, "cat")];
  const lines = race.scores.map((score) => [
    score.name,
    ...describeScore(score),
    ratio(score, own, ({ seconds }) => seconds),
    ratio(score, copy, ({ seconds }) => seconds),
    ratio(score, own, ({ peakBytes }) => peakBytes),
    String(score.runs.length),
  ]);
  return [
    `## ${title}: ${formatCount(dataset.tables)} tables, ${formatCount(columns)} columns, ${formatCount(rows)} rows, ${(dataset.bytes / 1e9).toFixed(2)} GB`,
    "",
    ...renderTable(
      [
        "",
        "wall time",
        "CPU",
        "peak memory",
        "private",
        "time / widemerge",
        "time / cat",
        "memory / widemerge",
        "runs",
      ],
      lines,
    ),
  ];
}

function renderGrowth({ name, points }: Growth): string[] {
  const lines = points.map(({ tables, score }) => [formatCount(tables), ...describeScore(score)]);
  return [
    `## Growth: tables of one width, ${name}`,
    "",
    ...renderTable(["tables", "wall time", "CPU", "peak memory", "private"], lines),
  ];
}

/** Time, CPU time and memory, or the failure. */
export function describeScore(score: Score | undefined): string[] {
  const { seconds, cpuSeconds, peakBytes, peakPrivateBytes, failure = "" } = score ?? {};
  return [
    seconds === undefined ? failure : toSeconds(seconds),
    cpuSeconds === undefined ? "" : toSeconds(cpuSeconds),
    peakBytes === undefined ? "" : toMebibytes(peakBytes),
    peakPrivateBytes === undefined ? "" : toMebibytes(peakPrivateBytes),
  ];
}

function ratio(score: Score, base: Score | undefined, pick: (score: Score) => number | undefined): string {
  const [value, unit] = [pick(score), base === undefined ? undefined : pick(base)];
  return value === undefined || unit === undefined ? "" : toTimes(value / unit);
}

function toGibibytes(bytes: number): string {
  return `${(bytes / GiB).toFixed(1)} GiB`;
}
