import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { startController } from "./controller-process.ts";
import { sampleInto } from "./data.ts";
import { type FanoutResults, type Manyfold, renderFanout, type Wall } from "./fanout-report.ts";
import { describeMachine } from "./machine.ts";
import { toMebibytes, toSeconds } from "./page.ts";
import { here, publish, root, say, today, widemerge, withWorkFolder, work } from "./workspace.ts";

/**
 * The section of the benchmark on runs of many pairs: overhead of the controller, and runs that are killed. Variables:
 * KILLS (50), KEEP=1 keeps the data under bench/work.
 */

const input = join(work, "fanout");
const undisturbed = join(work, "undisturbed");
const pairs: readonly string[] = parse(readFileSync(join(root, "profiles/27-pairs.yaml"), "utf8")).pairs;
const kills = Number(process.env.KILLS ?? 50);

await withWorkFolder(async () => {
  say(`making ${pairs.length} pairs of 41 tables ...`);
  sampleInto(input, "fanout", ["--tables", "40", "--misaligned", "0.2"], pairs.join(","));
  // Not counted: the first start also compiles the modules, which Node keeps for the next ones.
  await runUndisturbed();
  const results: FanoutResults = {
    date: today,
    machine: describeMachine(work),
    pairs: pairs.length,
    walls: [await timeRun(pairs.length), await timeRun(2)],
    many: [await countMany(250), await countMany(1000)],
    kills: await killOften(),
  };
  publish("small", "fanout", renderFanout(results), results);
});

function runAll(output: string, parallelism: number, ...flags: readonly string[]): readonly string[] {
  const folders = ["--input", input, "--output", output, "--pairs", pairs.join(",")];
  const limits = ["--memory-ceiling", "512MiB", "--parallelism", String(parallelism), "--no-sync"];
  return [widemerge, "run-all", ...folders, ...limits, "--run", "bench", ...flags];
}

/** One run from start to end, compared with the times in the records of its pairs. */
async function timeRun(parallelism: number): Promise<Wall> {
  const output = join(work, `fanout-out-${parallelism}`);
  const { seconds, exitCode, peakBytes } = await startController(runAll(output, parallelism)).ended;
  if (exitCode !== 0) throw new Error(`run-all ended with ${exitCode}`);
  const records = readRecords(output);
  const times = records.map(({ start, end }) => [Date.parse(start) / 1000, Date.parse(end) / 1000] as const);
  const slowest = Math.max(...times.map(([start, end]) => end - start));
  const working = Math.max(...times.map(([, end]) => end)) - Math.min(...times.map(([start]) => start));
  say(`${parallelism} at a time: ${toSeconds(seconds)}, slowest pair ${toSeconds(slowest)}`);
  rmSync(output, { recursive: true, force: true });
  return { parallelism, seconds, slowest, working, controllerBytes: peakBytes };
}

/** A run of pairs without data: plan, submit, watch, gather, draw the reports. */
async function countMany(count: number): Promise<Manyfold> {
  const folder = join(work, `many-${count}`);
  const program = [process.execPath, "--no-warnings", "--max-semi-space-size=2", join(here, "fanout-many.ts")];
  const { seconds, exitCode, peakBytes } = await startController([...program, folder, String(count)]).ended;
  if (exitCode !== 0) throw new Error(`the run of ${count} pairs ended with ${exitCode}`);
  say(`${count} pairs without data: ${toSeconds(seconds)}, ${toMebibytes(peakBytes)}`);
  rmSync(folder, { recursive: true, force: true });
  return { pairs: count, seconds, controllerBytes: peakBytes };
}

/** The run that others are compared with. */
async function runUndisturbed(): Promise<void> {
  if ((await startController(runAll(undisturbed, 2)).ended).exitCode !== 0) throw new Error("the first run failed");
}

/** Runs whose controllers are killed repeatedly. Their outputs are compared with those of an undisturbed run. */
async function killOften(): Promise<FanoutResults["kills"]> {
  const total = { count: 0, runs: 0, failed: 0, lost: 0, doubled: 0 };
  while (total.count < kills) {
    const killed = join(work, "killed");
    total.count += await killUntilDone(killed, kills - total.count);
    total.runs += 1;
    if ((await startController(runAll(killed, 2)).ended).exitCode !== 0) total.failed += 1;
    const results = readRecords(killed).filter(({ done }) => done);
    total.lost += pairs.filter((pair) => sumOf(undisturbed, pair) !== sumOf(killed, pair)).length;
    total.doubled += pairs.filter((pair) => results.filter((record) => record.pair === pair).length > 1).length;
    say(`${total.count} kills in ${total.runs} runs: ${total.lost} pairs lost, ${total.doubled} doubled`);
    rmSync(killed, { recursive: true, force: true });
  }
  return total;
}

/** Kills controllers of one run until one ends by itself or `most` were killed; returns how many were killed. */
async function killUntilDone(output: string, most: number): Promise<number> {
  for (let done = 0; done < most; done += 1) {
    // Long enough for a controller to start, short enough for many kills in one run.
    const ended = await startController(runAll(output, 2)).killAfter(400 + Math.random() * 2000);
    if (ended) return done;
  }
  return most;
}

/** CRC32C of a pair's output from its manifest, if both exist and the sizes agree. */
function sumOf(output: string, pair: string): string | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(output, `training_${pair}.manifest.json`), "utf8"));
    const { size } = statSync(join(output, `training_${pair}.parquet`));
    return size === manifest.output.size ? manifest.output.crc32c : undefined;
  } catch {
    return undefined;
  }
}

interface RecordFacts {
  readonly pair: string;
  readonly start: string;
  readonly end: string;
  readonly done: boolean;
}

function readRecords(output: string): RecordFacts[] {
  const folder = join(output, "runs/bench/results");
  return readdirSync(folder).flatMap((pair) =>
    readdirSync(join(folder, pair)).map((name) => {
      const { start, end, result } = JSON.parse(readFileSync(join(folder, pair, name), "utf8"));
      return { pair, start, end, done: result.outcome === "done" };
    }),
  );
}
