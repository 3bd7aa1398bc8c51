import { listContenders, ownContender } from "./contenders.ts";
import { type Dataset, dropDataset, readSize, type Size } from "./data.ts";
import { describeMachine } from "./machine.ts";
import { type Race, race, raceAcross } from "./race.ts";
import { describeTables, makeShapeData, type TableShape } from "./shape-data.ts";
import { renderShapes, type ShapeResults } from "./shape-report.ts";
import { type Comparison, judgeShapes, type RowGrowth } from "./shape-targets.ts";
import { caps, keep, publish, rounds, say, today, withWorkFolder, work } from "./workspace.ts";

/**
 * The section of the benchmark on shapes of tables other than the usual one; every table is misaligned. Variables: SIZE
 * tiny|small|full (small); RUNS (3); PARTS, of rows,groups,tables,encodings (all); PEERS=0 for widemerge and cat only; CAP_SECONDS;
 * KEEP=1 keeps the data under bench/work for the next run.
 */

const rowSteps: Readonly<Record<Size, readonly number[]>> = {
  tiny: [10_000, 20_000, 40_000],
  small: [10_000, 100_000, 300_000, 1_000_000],
  full: [10_000, 100_000, 1_000_000, 3_000_000, 10_000_000],
};
/** What pyarrow writes unless told otherwise. */
const longGroupRows = 1 << 20;

const groupRows = 2048;
const groups: Readonly<Record<Size, TableShape>> = {
  tiny: { rows: 20 * groupRows, tables: 2, columns: 5 },
  small: { rows: 2000 * groupRows, tables: 1, columns: 10 },
  full: { rows: 2000 * groupRows, tables: 2, columns: 10 },
};

/** Many narrow tables, and few wide ones of about the same bytes. */
const counts: Readonly<Record<Size, readonly [many: TableShape, few: TableShape]>> = {
  tiny: [
    { rows: 1000, tables: 60, columns: 10 },
    { rows: 1000, tables: 4, columns: 150 },
  ],
  small: [
    { rows: 4000, tables: 2000, columns: 10 },
    { rows: 4000, tables: 133, columns: 150 },
  ],
  full: [
    { rows: 4000, tables: 10_000, columns: 10 },
    { rows: 4000, tables: 667, columns: 150 },
  ],
};

const encoded: Readonly<Record<Size, TableShape>> = {
  tiny: { rows: 3000, tables: 10, columns: 5 },
  small: { rows: 50_000, tables: 100, columns: 20 },
  full: { rows: 100_000, tables: 200, columns: 25 },
};
const encodings: Readonly<Record<string, Partial<TableShape>>> = {
  "dictionary strings": { values: "texts" },
  "delta-encoded integers": { values: "integers" },
  zstd: { compression: "zstd" },
};

const size = readSize();
const parts = (process.env.PARTS ?? "rows,groups,tables,encodings").split(",");
const terms = { rounds, caps, work };

await withWorkFolder(async () => {
  const growth = parts.includes("rows") ? await growRows() : undefined;
  const comparisons: Comparison[] = [];
  if (parts.includes("groups")) {
    const shape = groups[size];
    comparisons.push(await compare("row groups", "one row group", { ...shape, groupRows }, shape));
  }
  if (parts.includes("tables")) {
    const [many, few] = counts[size];
    comparisons.push(await compare("narrow tables", "wide tables", many, few));
  }
  const races = parts.includes("encodings") ? await raceEncodings() : [];
  const results: ShapeResults = {
    size,
    date: today,
    rounds,
    caps,
    machine: describeMachine(work),
    ...(growth === undefined ? {} : { growth }),
    comparisons,
    races,
    verdicts: size === "tiny" ? [] : judgeShapes(growth, comparisons, races),
  };
  publish(size, `${size}-shapes`, renderShapes(results), toPublish(results));
});

/** One dataset at a time: the largest takes most of a disk. */
async function growRows(): Promise<RowGrowth> {
  const shape = { tables: 10, columns: 20 };
  const points: { rows: number; race: Race }[] = [];
  for (const rows of rowSteps[size]) {
    const dataset = await make(`rows-${rows}`, {
      ...shape,
      rows,
      ...(rows > longGroupRows ? { groupRows: longGroupRows } : {}),
    });
    points.push({ rows, race: await race([ownContender], dataset, terms) });
    drop(dataset);
  }
  return { ...shape, longGroupRows, points };
}

async function compare(name: string, other: string, shape: TableShape, base: TableShape): Promise<Comparison> {
  const datasets = [await make(`${name.replace(" ", "-")}`, shape), await make(other.replaceAll(" ", "-"), base)];
  const [subject, reference] = await raceAcross(ownContender, datasets, terms);
  datasets.forEach(drop);
  if (subject === undefined || reference === undefined) throw new Error("a race without a result");
  return {
    subject: { shape: describeTables(shape), race: subject },
    reference: { shape: describeTables(base), race: reference },
  };
}

async function raceEncodings(): Promise<Race[]> {
  const contenders = listContenders().filter(
    ({ kind }) => kind !== "positional" && !(kind === "join" && process.env.PEERS === "0"),
  );
  const races: Race[] = [];
  for (const [name, special] of Object.entries(encodings)) {
    const dataset = await make(name.replaceAll(" ", "-"), { ...encoded[size], ...special });
    races.push(await race(contenders, { ...dataset, name }, terms));
    drop(dataset);
  }
  return races;
}

function make(name: string, shape: TableShape): Promise<Dataset> {
  say(`making ${name}: ${describeTables(shape)} ...`);
  return makeShapeData(work, name, shape);
}

/** Results are published without paths of this machine and without what the contenders printed. */
function toPublish(results: ShapeResults): unknown {
  return JSON.parse(JSON.stringify(results, (key, value) => (key === "stdout" || key === "input" ? undefined : value)));
}

function drop(dataset: Dataset): void {
  if (!keep) dropDataset(dataset);
}
