import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listContenders } from "./contenders.ts";
import { type Dataset, describeShape, dropDataset, makeDataset, makeGrowth, type Size, sizes } from "./data.ts";
import { describeMachine } from "./machine.ts";
import type { Caps } from "./measure.ts";
import { type Race, race } from "./race.ts";
import { type Results, renderMarkdown } from "./report.ts";
import { type Growth, judge } from "./targets.ts";

/**
 * The benchmark. Variables: SIZE tiny|small|full (small); RUNS (3); ONLY, a part of contenders' names; PARTS, of
 * aligned,misaligned,growth (all); PEERS=0 for widemerge and cat only; CAP_SECONDS, the time limit of a contender (900);
 * KEEP=1 keeps the data under bench/work for the next run.
 */

const here = fileURLToPath(new URL(".", import.meta.url));
const work = join(here, "work");
const gibibyte = 2 ** 30;
const caps: Caps = {
  dataBytes: 18 * gibibyte,
  totalBytes: 20 * gibibyte,
  seconds: Number(process.env.CAP_SECONDS ?? 900),
};
const growthTables: Readonly<Record<Size, readonly number[]>> = {
  tiny: [10, 20, 40],
  small: [50, 100, 200, 400, 667],
  full: [50, 100, 200, 400, 667],
};

const size = readSize(process.env.SIZE ?? "small");
const rounds = Number(process.env.RUNS ?? 3);
const parts = (process.env.PARTS ?? "aligned,misaligned,growth").split(",");
const keep = process.env.KEEP === "1";

mkdirSync(work, { recursive: true });
try {
  const races: Race[] = [];
  if (parts.includes("aligned")) races.push(await raceOn(false));
  if (parts.includes("misaligned")) races.push(await raceOn(true));
  const growths = parts.includes("growth") ? [await grow(false), await grow(true)] : [];
  publish({
    size,
    date: new Date().toISOString().slice(0, 10),
    data: describeShape(size),
    rounds,
    caps,
    machine: describeMachine(work),
    races,
    growths,
    verdicts: judge(size, races, growths),
  });
} finally {
  if (!keep) rmSync(work, { recursive: true, force: true });
}

async function raceOn(misaligned: boolean): Promise<Race> {
  const only = process.env.ONLY ?? "";
  const contenders = listContenders().filter(({ name, kind }) => {
    if (process.env.PEERS === "0" && (kind === "join" || kind === "positional")) return false;
    return name.includes(only) && !(misaligned && kind === "positional");
  });
  say(`making the ${misaligned ? "misaligned" : "aligned"} data (${describeShape(size)}) ...`);
  const dataset = makeDataset(work, size, misaligned);
  const result = await race(contenders, dataset, rounds, caps, work);
  drop(dataset);
  return result;
}

async function grow(misaligned: boolean): Promise<Growth> {
  const [own] = listContenders();
  if (own === undefined) throw new Error("no contender");
  const name = misaligned ? "misaligned" : "aligned";
  const points: { tables: number; score: Race["scores"][number] }[] = [];
  for (const tables of growthTables[size]) {
    say(`growth, ${name}: ${tables} tables ...`);
    const dataset = makeGrowth(work, size, tables, misaligned);
    const [score] = (await race([own], dataset, rounds, caps, work)).scores;
    if (score !== undefined) points.push({ tables, score });
    drop(dataset);
  }
  return { name, points };
}

/** Prints the page and writes it to bench/results. The tiny size only shows that everything works. */
function publish(results: Results): void {
  const page = renderMarkdown(results);
  process.stdout.write(page);
  if (size === "tiny") return;
  const folder = join(here, "results");
  mkdirSync(folder, { recursive: true });
  const bare = { ...results, races: results.races.map(withoutPaths) };
  writeFileSync(join(folder, `${size}.md`), page);
  writeFileSync(join(folder, `${size}.json`), `${JSON.stringify(bare, dropOutput, 2)}\n`);
}

/** Removes paths of this machine: results are published. */
function withoutPaths(race: Race): Race {
  return { ...race, dataset: { ...race.dataset, input: "" } };
}

function dropOutput(key: string, value: unknown): unknown {
  return key === "stdout" ? undefined : value;
}

function drop(dataset: Dataset): void {
  if (!keep) dropDataset(dataset);
}

function readSize(text: string): Size {
  const found = sizes.find((candidate) => candidate === text);
  if (found === undefined) throw new Error(`SIZE is one of ${sizes.join(", ")}, got ${text}`);
  return found;
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
