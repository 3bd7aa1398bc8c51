import type { Traffic } from "../src/model/measurement.ts";
import type { StageTime } from "../src/model/result.ts";
import { formatCount, MiB } from "../src/model/units.ts";
import type { Machine } from "./machine.ts";
import {
  describeSetting,
  renderTable,
  renderVerdicts,
  toMebibytes,
  toSeconds,
  toTimes,
  type Verdict,
  verdict,
} from "./page.ts";
import { median } from "./statistics.ts";

/** Bytes that every merge has to read: footers and key columns. */
export interface Need {
  /** Footers with their length and magic number. */
  readonly footers: number;
  readonly keyChunks: number;
}

/** One merge in a bucket; seconds and bytes. */
export interface BucketRun {
  readonly seconds: number;
  readonly peakBytes: number;
  readonly predictedPeakBytes: number;
  readonly traffic: Traffic;
  readonly stages: readonly StageTime[];
}

interface Composition {
  readonly need: Need;
  readonly runs: readonly BucketRun[];
  readonly bytes: number;
  readonly tables: number;
}

export interface BucketResults {
  readonly size: string;
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly shapes: { readonly compose: string; readonly stream: string };
  readonly compose: Composition;
  readonly misaligned: Composition;
  readonly stream: Omit<Composition, "need"> & {
    readonly plain: readonly { readonly seconds: number; readonly peakBytes: number }[];
  };
}

/** The results as a Markdown page. */
export function renderBucket(results: BucketResults): string {
  const { machine, compose, misaligned, stream } = results;
  return [
    `# Benchmark, Cloud Storage, size ${results.size}`,
    "",
    `${describeSetting(results.date, machine)} The server is fake-gcs-server, extended with preconditions and resumable uploads as documented, on the loopback interface with its objects in memory. To compose, it copies bytes; Cloud Storage does not. "Waiting" is the time in which the worker waits for the server to compose and publish the staged output. ${results.rounds === 1 ? "One run each" : `Medians of ${results.rounds} runs`}. Memory is that of all processes of the merge.`,
    "",
    ...renderVerdicts(results.size === "tiny" ? [] : judge(results)),
    ...renderTable(
      [
        "",
        "inputs",
        "wall time",
        "of it waiting",
        "peak memory",
        "predicted",
        "requests A / B / free",
        "bytes down",
        "bytes up",
      ],
      [
        ["compose, all aligned", ...describe(compose)],
        ["compose, 10% misaligned", ...describe(misaligned)],
        ["stream", ...describe(stream)],
        ["plain client: download, upload", megabytes(stream.bytes), ...timesOf(stream.plain, ""), "", "", "", ""],
      ],
    ),
    "",
    `Data for compose: \`widemerge sample ${results.shapes.compose}\`; for stream: \`widemerge sample ${results.shapes.stream}\`. The footers and key columns of all tables are ${megabytes(needOf(compose))}.`,
    "",
  ].join("\n");
}

function judge({ compose, misaligned, stream }: BucketResults): Verdict[] {
  const [down, up] = [middle(compose, "bytesDown"), middle(compose, "bytesUp")];
  const requests = median(compose.runs.map(({ traffic }) => traffic.classA + traffic.classB + traffic.free));
  const grown = misaligned.bytes / misaligned.tables;
  const tables = Math.round((misaligned.tables - 1) * 0.1);
  const moreDown = middle(misaligned, "bytesDown") - down;
  const ratio = median(stream.runs.map(secondsOf)) / median(stream.plain.map(secondsOf));
  const own = median(compose.runs.map((run) => run.seconds - waitOf(run)));
  const limit = needOf(compose) * 1.1;
  const grownLimit = 1.5 * tables * grown;
  return [
    verdict("compose: bytes down", `≤ ${megabytes(limit)}`, megabytes(down), down <= limit),
    verdict("compose: bytes up", "≤ new footer + 1 MiB", megabytes(up), up <= footerGuess(compose) + MiB),
    verdict(
      "compose: requests per table",
      "≤ 3",
      (requests / compose.tables).toFixed(2),
      requests <= 3 * compose.tables,
    ),
    verdict("compose: peak memory", "≤ 384 MiB", toMebibytes(peakOf(compose)), peakOf(compose) <= 384 * MiB),
    verdict("compose: worker's time", "≤ 15 s", toSeconds(own), own <= 15),
    verdict(
      `10% misaligned: additional bytes down, ${tables} tables`,
      `≤ ${megabytes(grownLimit)}`,
      megabytes(moreDown),
      moreDown <= grownLimit,
    ),
    verdict("stream: wall time against the plain client", "≤ 1.5 ×", toTimes(ratio), ratio <= 1.5),
    verdict("stream: peak memory", "≤ 512 MiB", toMebibytes(peakOf(stream)), peakOf(stream) <= 512 * MiB),
  ];
}

/** Seconds in which the worker waits for the server to compose the staged output, and again to publish it. */
function waitOf({ stages }: BucketRun): number {
  const waiting = stages.filter(({ stage }) => stage === "footer" || stage === "publish");
  return waiting.reduce((sum, stage) => sum + stage.seconds, 0);
}

/** The new footer has about as many bytes as all old footers together. */
function footerGuess({ need }: Composition): number {
  return need.footers;
}

function needOf({ need }: Composition): number {
  return need.footers + need.keyChunks;
}

function middle({ runs }: { readonly runs: readonly BucketRun[] }, field: keyof Traffic): number {
  return median(runs.map(({ traffic }) => traffic[field]));
}

function peakOf({ runs }: { readonly runs: readonly BucketRun[] }): number {
  return Math.max(...runs.map(({ peakBytes }) => peakBytes));
}

function secondsOf(run: { readonly seconds: number }): number {
  return run.seconds;
}

function timesOf(runs: readonly { readonly seconds: number; readonly peakBytes: number }[], waiting: string): string[] {
  return [
    toSeconds(median(runs.map(secondsOf))),
    waiting,
    toMebibytes(Math.max(...runs.map(({ peakBytes }) => peakBytes))),
  ];
}

function describe(part: Omit<Composition, "need">): string[] {
  const traffic = (["classA", "classB", "free"] as const).map((field) => formatCount(middle(part, field))).join(" / ");
  return [
    megabytes(part.bytes),
    ...timesOf(part.runs, toSeconds(median(part.runs.map(waitOf)))),
    toMebibytes(median(part.runs.map(({ predictedPeakBytes }) => predictedPeakBytes))),
    traffic,
    megabytes(middle(part, "bytesDown")),
    megabytes(middle(part, "bytesUp")),
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
