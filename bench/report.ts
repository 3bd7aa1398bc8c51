import type { Machine } from "./machine.ts";
import type { Caps } from "./measure.ts";
import type { Race, Score } from "./race.ts";
import { find, type Growth, type Verdict } from "./targets.ts";

/** Everything that one run of the benchmark measured. */
export interface Results {
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
export function renderMarkdown(results: Results): string {
  return [
    `# Benchmark, size ${results.size}`,
    "",
    ...renderFacts(results),
    "",
    ...(results.verdicts.length === 0 ? [] : ["## Targets", "", ...renderVerdicts(results.verdicts), ""]),
    ...results.races.flatMap((race) => [...renderRace(race), ""]),
    ...results.growths.flatMap((growth) => [...renderGrowth(growth), ""]),
  ].join("\n");
}

function renderFacts({ date, machine, data, rounds, caps }: Results): string[] {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, ${toGibibytes(machine.memoryBytes)}, ${machine.system}, ${machine.disk}, Node ${machine.node}; ${versions.join(", ")}.`,
    "",
    `Data: \`${data}\`. ${rounds === 1 ? "One run each" : `Medians of ${rounds} runs`}, interleaved; a tool that takes more than a minute runs once. Before every run of every tool, \`sync\` is called and the inputs are read once, so that the page cache is warm as far as they fit. Outputs are removed after every run.`,
    "",
    `Memory is the largest sum of the resident sets of all processes of a tool, sampled every 20 ms, and at least the kernel's high-water mark of its largest process; "private" excludes pages mapped from files. Every tool runs with RLIMIT_DATA at ${toGibibytes(caps.dataBytes)} per process, at most ${toGibibytes(caps.totalBytes)} in total, and at most ${caps.seconds / 60} minutes. Outputs are compared with DuckDB's join of the inputs: rows, columns, and digests of several columns.`,
  ];
}

/** Targets and the measured values. */
export function renderVerdicts(verdicts: readonly Verdict[]): string[] {
  const rows = verdicts.map(({ target, limit, measured, passed }) => [
    target,
    limit,
    measured,
    passed ? "pass" : "**fail**",
  ]);
  return renderTable(["target", "limit", "measured", ""], rows);
}

function renderRace(race: Race): string[] {
  const { dataset, rows, columns } = race;
  const [own, copy] = [find(race, "widemerge"), find(race, "cat")];
  const lines = race.scores.map((score) => [
    score.name,
    score.seconds === undefined ? (score.failure ?? "") : `${score.seconds.toFixed(2)} s`,
    score.peakBytes === undefined ? "" : toMebibytes(score.peakBytes),
    score.peakPrivateBytes === undefined ? "" : toMebibytes(score.peakPrivateBytes),
    ratio(score, own, ({ seconds }) => seconds),
    ratio(score, copy, ({ seconds }) => seconds),
    ratio(score, own, ({ peakBytes }) => peakBytes),
    String(score.runs.length),
  ]);
  return [
    `## Every table ${dataset.name}: ${count(dataset.tables)} tables, ${count(columns)} columns, ${count(rows)} rows, ${(dataset.bytes / 1e9).toFixed(2)} GB`,
    "",
    ...renderTable(
      ["", "wall time", "peak memory", "private", "time / widemerge", "time / cat", "memory / widemerge", "runs"],
      lines,
    ),
  ];
}

function renderGrowth({ name, points }: Growth): string[] {
  const lines = points.map(({ tables, score }) => [
    count(tables),
    score.seconds === undefined ? (score.failure ?? "") : `${score.seconds.toFixed(2)} s`,
    score.peakBytes === undefined ? "" : toMebibytes(score.peakBytes),
    score.peakPrivateBytes === undefined ? "" : toMebibytes(score.peakPrivateBytes),
  ]);
  return [
    `## Growth: tables of one width, ${name}`,
    "",
    ...renderTable(["tables", "wall time", "peak memory", "private"], lines),
  ];
}

function ratio(score: Score, base: Score | undefined, pick: (score: Score) => number | undefined): string {
  const [value, unit] = [pick(score), base === undefined ? undefined : pick(base)];
  return value === undefined || unit === undefined ? "" : `${(value / unit).toFixed(2)} ×`;
}

/** A Markdown table. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((cell, index) => Math.max(cell.length, ...rows.map((row) => row[index]?.length ?? 0), 3));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, index) => (cells[index] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)];
}

/** 1234 as 1,234. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Bytes in MiB. */
export function toMebibytes(bytes: number): string {
  return `${count(Math.round(bytes / 2 ** 20))} MiB`;
}

function toGibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
