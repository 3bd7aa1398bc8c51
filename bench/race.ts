import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, findFault } from "./check.ts";
import { type Contender, outputPath } from "./contenders.ts";
import type { Dataset } from "./data.ts";
import { type Caps, measure, type Run } from "./measure.ts";
import { toMebibytes, toSeconds } from "./page.ts";
import { median } from "./statistics.ts";

/** The runs of one contender on one dataset. */
export interface Score {
  readonly name: string;
  readonly kind: Contender["kind"];
  readonly runs: readonly Run[];
  /** Why there is no time: the run failed, or its output was wrong. */
  readonly failure?: string;
  /** Medians; absent with a failure. */
  readonly seconds?: number;
  readonly cpuSeconds?: number;
  readonly peakBytes?: number;
  readonly peakPrivateBytes?: number;
}

export interface Race {
  readonly dataset: Dataset;
  readonly rows: number;
  readonly columns: number;
  readonly scores: readonly Score[];
}

/** How often every contender runs, its limits, and the folder for outputs. */
export interface Terms {
  readonly rounds: number;
  readonly caps: Caps;
  readonly work: string;
}

const longRun = 60;

/**
 * Runs all contenders on one dataset, `rounds` times, interleaved. A contender that took more than a minute, or failed, is
 * not run again. Before each run, outstanding writes are flushed and the inputs are read once, so that every run starts
 * with the same page cache.
 */
export async function race(contenders: readonly Contender[], dataset: Dataset, terms: Terms): Promise<Race> {
  const expected = await expect(dataset);
  const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]));
  // Not counted: the first run on new data also pays for writing that data to the disk.
  const [first] = contenders.filter(({ kind }) => kind === "limit");
  if (first !== undefined) await runOnce(first, dataset, terms, async () => undefined);
  for (let round = 0; round < terms.rounds; round += 1) {
    // A different contender starts each round, so that nobody always runs with the caches that the same run left.
    for (const contender of [...contenders.slice(round), ...contenders.slice(0, round)]) {
      const done = runs.get(contender) ?? [];
      if (
        done.some(
          (run) =>
            run.failure !== undefined ||
            (run.seconds > longRun && contender.kind !== "widemerge" && contender.kind !== "limit"),
        )
      )
        continue;
      const run = await runOnce(contender, dataset, terms, (path) => findFault(contender, path, expected));
      done.push(run);
      process.stderr.write(`  ${dataset.name}, round ${round + 1}: ${contender.name}: ${describeRun(run)}\n`);
    }
  }
  const scores = contenders.map((contender) => toScore(contender, runs.get(contender) ?? []));
  return { dataset, rows: expected.rows, columns: expected.columns, scores };
}

/** The runs of one contender on several datasets, interleaved, so that a ratio of two of them is of runs side by side. */
export async function raceAcross(
  contender: Contender,
  datasets: readonly Dataset[],
  terms: Terms,
): Promise<readonly Race[]> {
  const entries = await Promise.all(
    datasets.map(async (dataset) => ({ dataset, expected: await expect(dataset), runs: [] as Run[] })),
  );
  for (let round = 0; round < terms.rounds; round += 1) {
    for (const { dataset, expected, runs } of entries) {
      const run = await runOnce(contender, dataset, terms, (path) => findFault(contender, path, expected));
      runs.push(run);
      process.stderr.write(`  ${dataset.name}, round ${round + 1}: ${contender.name}: ${describeRun(run)}\n`);
    }
  }
  return entries.map(({ dataset, expected, runs }) => ({
    dataset,
    rows: expected.rows,
    columns: expected.columns,
    scores: [toScore(contender, runs)],
  }));
}

async function runOnce(
  contender: Contender,
  dataset: Dataset,
  { caps, work }: Terms,
  check: (path: string) => Promise<string | undefined>,
): Promise<Run> {
  const folder = join(work, "output");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  settle(dataset);
  const output = outputPath(folder, dataset.pair);
  const run = await measure(
    contender.command(dataset.input, dataset.pair, output, dataset.compression ?? "snappy"),
    caps,
    join(work, "last.log"),
  );
  const fault = run.failure === undefined ? await check(output) : undefined;
  rmSync(folder, { recursive: true, force: true });
  return fault === undefined ? run : { ...run, failure: `wrong: ${fault}` };
}

/** Flushes outstanding writes, and reads the inputs into the page cache as far as they fit. */
function settle(dataset: Dataset): void {
  spawnSync("sync");
  spawnSync("sh", ["-c", 'cat "$0"/*.parquet > /dev/null', join(dataset.input, dataset.pair)]);
}

function toScore({ name, kind }: Contender, runs: readonly Run[]): Score {
  const failure = runs.find((run) => run.failure !== undefined)?.failure;
  if (failure !== undefined || runs.length === 0) return { name, kind, runs, failure: failure ?? "not run" };
  const middle = (pick: (run: Run) => number): number => median(runs.map(pick));
  return {
    name,
    kind,
    runs,
    seconds: middle((run) => run.seconds),
    cpuSeconds: middle((run) => run.cpuSeconds),
    peakBytes: middle((run) => run.peakBytes),
    peakPrivateBytes: middle((run) => run.peakPrivateBytes),
  };
}

function describeRun({ seconds, peakBytes, failure }: Run): string {
  return `${toSeconds(seconds)}, ${toMebibytes(peakBytes)}${failure === undefined ? "" : `, ${failure}`}`;
}

/** The score of the contender with that name; undefined if it did not take part. */
export function findScore(race: Race, name: string): Score | undefined {
  return race.scores.find((score) => score.name === name);
}
