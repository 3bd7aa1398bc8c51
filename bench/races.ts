import { listContenders, ownContender } from "./contenders.ts";
import { type Dataset, describeShape, dropDataset, makeDataset, makeGrowth, readSize, type Size } from "./data.ts";
import { describeMachine } from "./machine.ts";
import { type Race, race } from "./race.ts";
import { type RaceResults, renderRaces } from "./race-report.ts";
import { type Growth, judgeRaces } from "./race-targets.ts";
import { caps, keep, publish, rounds, say, today, withWorkFolder, work } from "./workspace.ts";

/**
 * The section of the benchmark on one merge, against other tools. Variables: SIZE tiny|small|full (small); RUNS (3); ONLY, a part of contenders' names; PARTS, of
 * aligned,misaligned,growth (all); PEERS=0 for widemerge and cat only; CAP_SECONDS, the time limit of a contender (900);
 * KEEP=1 keeps the data under bench/work for the next run.
 */

const growthTables: Readonly<Record<Size, readonly number[]>> = {
  tiny: [10, 20, 40],
  small: [50, 100, 200, 400, 667],
  full: [50, 100, 200, 400, 667],
};

const size = readSize();
const parts = (process.env.PARTS ?? "aligned,misaligned,growth").split(",");

await withWorkFolder(async () => {
  const races: Race[] = [];
  if (parts.includes("aligned")) races.push(await raceOn(false));
  if (parts.includes("misaligned")) races.push(await raceOn(true));
  const growths = parts.includes("growth") ? [await grow(false), await grow(true)] : [];
  const results: RaceResults = {
    size,
    date: today,
    data: describeShape(size),
    rounds,
    caps,
    machine: describeMachine(work),
    races,
    growths,
    verdicts: judgeRaces(size, races, growths),
  };
  publish(size, size, renderRaces(results), toPublish(results));
});

async function raceOn(misaligned: boolean): Promise<Race> {
  const only = process.env.ONLY ?? "";
  const contenders = listContenders().filter(({ name, kind }) => {
    if (process.env.PEERS === "0" && (kind === "join" || kind === "positional")) return false;
    return name.includes(only) && !(misaligned && kind === "positional");
  });
  say(`making the ${misaligned ? "misaligned" : "aligned"} data (${describeShape(size)}) ...`);
  const dataset = makeDataset(work, size, misaligned);
  const result = await race(contenders, dataset, { rounds, caps, work });
  drop(dataset);
  return result;
}

async function grow(misaligned: boolean): Promise<Growth> {
  const name = misaligned ? "misaligned" : "aligned";
  const points: { tables: number; score: Race["scores"][number] }[] = [];
  for (const tables of growthTables[size]) {
    say(`growth, ${name}: ${tables} tables ...`);
    const dataset = makeGrowth(work, size, tables, misaligned);
    const [score] = (await race([ownContender], dataset, { rounds, caps, work })).scores;
    if (score !== undefined) points.push({ tables, score });
    drop(dataset);
  }
  return { name, points };
}

/** Results are published: without paths of this machine and what the contenders printed. */
function toPublish(results: RaceResults): unknown {
  const races = results.races.map((one) => ({ ...one, dataset: { ...one.dataset, input: "" } }));
  return JSON.parse(JSON.stringify({ ...results, races }, (key, value) => (key === "stdout" ? undefined : value)));
}

function drop(dataset: Dataset): void {
  if (!keep) dropDataset(dataset);
}
