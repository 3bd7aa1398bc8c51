import { SingleBar } from "cli-progress";
import { writeAnywhere } from "../app/upload.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import { agree, formatBytes, formatCount, formatSeconds } from "../model/units.ts";
import { defaultTables, parseSampleFlags, type SampleFlags, type SampleOptions } from "../sample/options.ts";
import { defaultPairs } from "../sample/pairs.ts";
import { ratesSource, realDays } from "../sample/rates.ts";
import type { SampleSummary } from "../sample/write.ts";
import { CodedCommand } from "./command.ts";
import { printJson, printLines } from "./print.ts";
import { describePace } from "./progress.ts";
import { onStopSignals } from "./signals.ts";

const guide = `
Every value is computed from real rates (${ratesSource}).
Each pair becomes a folder of feature tables, a targets table and a _COMPLETE marker, as feature extraction leaves them.

Examples:
  Two pairs of ${defaultTables} tables each, a fifth of the tables misaligned:
    widemerge sample --out checkpoints --pairs audusd,eurjpy --misaligned 0.2

  One pair of the full size: 667 tables, 16,988 columns, 14 GB; all rows but ${formatCount(realDays)} are resampled:
    widemerge sample --out checkpoints --pairs audusd --full --rows 100000
`;

/** The command `widemerge sample`. */
export function sampleCommand(): CodedCommand {
  return new CodedCommand("sample")
    .description("write checkpoints of the real shape, computed from real exchange rates, to try a merge")
    .option("--out <dir>", "folder to write one folder per pair into, or gs://bucket/prefix (default: checkpoints)")
    .option("--pairs <list>", `pairs, separated by commas (default: the ${defaultPairs.length} of a run)`)
    .option("--tables <n>", `feature tables per pair (default: ${defaultTables})`)
    .option("--full", "667 feature tables with 16,988 columns, as wide as the real ones")
    .option(
      "--rows <n>",
      `rows; beyond ${formatCount(realDays)} they are resampled real returns (default: ${realDays})`,
    )
    .option("--misaligned <share>", "share of the tables with missing rows, extra rows, or unsorted rows (default: 0)")
    .option("--duplicates <share>", "share of the tables with some duplicate keys (default: 0)")
    .option("--seed <n>", "seed of the random numbers (default: 1)")
    .option("--gcs-endpoint <url>", "endpoint of a Cloud Storage emulator (WIDEMERGE_GCS_ENDPOINT)")
    .option("--force", "replace existing pairs that were made with other options")
    .option("--json", "print the summary as one JSON document")
    .addHelpText("after", guide)
    .runs(runSample);
}

interface Flags extends SampleFlags {
  readonly json?: boolean;
  readonly gcsEndpoint?: string;
}

async function runSample(flags: Flags): Promise<ExitCode> {
  const options = parseSampleFlags(flags);
  const endpoint = flags.gcsEndpoint ?? process.env.WIDEMERGE_GCS_ENDPOINT;
  const summary = await untilStopped((signal) =>
    writeAnywhere(options.out, endpoint, (out) => writeWithBar({ ...options, out, signal })),
  );
  const written = { ...summary, ...placeAt(options.out, summary) };
  if (flags.json === true) printJson(toDocument(written));
  else printLines(describe(written));
  return ExitCode.done;
}

/** On a terminal, a bar on stderr counts the tables. */
async function writeWithBar(options: SampleOptions): Promise<SampleSummary> {
  const { writeSample } = await import("../sample/write.ts");
  if (!process.stderr.isTTY) return writeSample(options);
  const bar = new SingleBar({ format: "{bar} {value}/{total} tables{left}" });
  const since = performance.now();
  try {
    return await writeSample(options, (tablesDone, tables) => {
      if (tablesDone === 1) bar.start(tables, 0, { left: "" });
      const { left } = describePace(
        { tablesDone, tables, bytesDone: 0, bytesTotal: 0 },
        (performance.now() - since) / 1000,
      );
      bar.update(tablesDone, { left });
    });
  } finally {
    bar.stop();
  }
}

/** Turns SIGINT and SIGTERM into an abort, so that unfinished files are removed. */
async function untilStopped<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const stop = new AbortController();
  const off = onStopSignals((exitCode, signal) => {
    // A second signal ends this process at once.
    off();
    stop.abort(interruption(signal, exitCode));
  });
  try {
    return await work(stop.signal);
  } finally {
    off();
  }
}

function interruption(found: string, exitCode: ExitCode): Failure {
  const fix = "run the same command again: finished pairs are kept";
  return new Failure(exitCode, [{ what: "the sample was stopped", found, fix }]);
}

/** The folders of the pairs under `out`: what goes into a bucket is written to a temporary folder first. */
function placeAt(out: string, { pairs }: SampleSummary): Pick<SampleSummary, "out" | "pairs"> {
  return { out, pairs: pairs.map((pair) => ({ ...pair, folder: `${out.replace(/\/$/, "")}/${pair.pair}` })) };
}

function toDocument(summary: SampleSummary): Record<string, unknown> {
  return { ...summary, source: ratesSource, total: totalOf(summary) };
}

function totalOf({ pairs }: SampleSummary): Record<"tables" | "columns" | "bytes", number> {
  const sum = (field: "tables" | "columns" | "bytes"): number => pairs.reduce((total, pair) => total + pair[field], 0);
  return { tables: sum("tables"), columns: sum("columns"), bytes: sum("bytes") };
}

function describe(summary: SampleSummary): string[] {
  const [first] = summary.pairs;
  const written = summary.pairs.filter((pair) => pair.written).length;
  const total = totalOf(summary);
  const synthetic = first?.syntheticRows ?? 0;
  const rows = synthetic === 0 ? "all real" : `${formatCount(synthetic)} of them synthetic (resampled real returns)`;
  const there = summary.pairs.length - written;
  const lines = [
    ["folder", summary.out],
    [
      "pairs",
      `${written} written${there > 0 ? `, ${there} ${agree(there, "exists", "exist")} already, made with the same options` : ""}`,
    ],
    ["tables", `${formatCount(total.tables)}, targets included`],
    ["columns", `${formatCount(total.columns)}, without keys and targets`],
    ["rows", `${formatCount(first?.rows ?? 0)} per table, ${rows}`],
    ["size", formatBytes(total.bytes)],
    ["time", formatSeconds(summary.seconds)],
    ["source", ratesSource],
  ];
  return lines.map(([name = "", value]) => `${name.padEnd(8)} ${value}`);
}
