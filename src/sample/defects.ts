import { createRandom, drawRows, type Random, shuffle } from "./random.ts";

/** The ways in which a table can be misaligned; misaligned tables use them in turn. */
export const misalignments = ["lacks rows", "extra rows", "unsorted"] as const;
type Misalignment = (typeof misalignments)[number];

/** What is wrong with the rows of one table, on purpose. */
export interface Defect {
  readonly misalignment?: Misalignment;
  /** Some keys are duplicated. */
  readonly duplicates: boolean;
}

/** The rows of a table: their keys, and the market rows that they take their values from. */
export interface Rows {
  readonly keys: BigInt64Array;
  readonly sources: Int32Array;
}

/** A row of a table: its key, and the market row that it takes its values from. */
interface Row {
  readonly key: bigint;
  readonly source: number;
}

const halfDay = 43_200_000_000n;
const affectedShare = 0.01;

/** The defects of a pair's tables, by name; sound tables have none. The seed chooses the tables, by the given shares, rounded. */
export function chooseDefects(
  tables: readonly string[],
  shares: { readonly misaligned: number; readonly duplicates: number; readonly seed: number },
  pair: string,
): ReadonlyMap<string, Defect> {
  const choose = (what: string, share: number): string[] =>
    shuffle(tables, createRandom(`${what} ${pair} ${shares.seed}`)).slice(0, Math.round(share * tables.length));
  const defects = new Map<string, Defect>();
  for (const [turn, table] of choose("misaligned", shares.misaligned).entries()) {
    const misalignment = misalignments[turn % misalignments.length];
    if (misalignment !== undefined) defects.set(table, { misalignment, duplicates: false });
  }
  for (const table of choose("duplicates", shares.duplicates))
    defects.set(table, { ...defects.get(table), duplicates: true });
  return defects;
}

/** The rows of a table with a defect. `keys` are those of a sound one; `label` determines the rows that are affected. */
export function damageRows(keys: BigInt64Array, { misalignment, duplicates }: Defect, label: string): Rows {
  const random = createRandom(`rows ${label}`);
  let rows: Row[] = Array.from(keys, (key, source) => ({ key, source }));
  if (misalignment !== undefined) rows = misalign[misalignment](rows, random);
  if (duplicates) rows = repeatKeys(rows, random);
  return { keys: BigInt64Array.from(rows, (row) => row.key), sources: Int32Array.from(rows, (row) => row.source) };
}

const misalign: Readonly<Record<Misalignment, (rows: readonly Row[], random: Random) => Row[]>> = {
  "lacks rows": (rows, random) => {
    const lost = new Set(drawSome(rows, random));
    return rows.filter((_, index) => !lost.has(index));
  },
  // The key is half a day after a real row, which is no business day; the values are those of that row.
  "extra rows": (rows, random) => insertAfter(rows, random, (row) => ({ ...row, key: row.key + halfDay })),
  // Blocks are in the wrong order, as if parallel workers had finished in another order.
  unsorted: (rows, random) => {
    const blocks = Math.min(rows.length, 16);
    const startOf = (block: number): number => Math.floor((block * rows.length) / blocks);
    const mixed = shuffle([...Array(blocks).keys()], random);
    // A shuffle can be sorted by chance, so the first block must not stay first.
    if (mixed[0] === 0) mixed.reverse();
    return mixed.flatMap((block) => rows.slice(startOf(block), startOf(block + 1)));
  },
};

/** The same key again with the values of the day before, like a late revision. */
function repeatKeys(rows: readonly Row[], random: Random): Row[] {
  return insertAfter(rows, random, (row) => ({ ...row, source: Math.max(0, row.source - 1) }));
}

function insertAfter(rows: readonly Row[], random: Random, derive: (row: Row) => Row): Row[] {
  const chosen = new Set(drawSome(rows, random));
  return rows.flatMap((row, index) => (chosen.has(index) ? [row, derive(row)] : [row]));
}

/** One row in a hundred, and at least one. */
function drawSome(rows: readonly Row[], random: Random): number[] {
  return drawRows(random, Math.max(1, Math.round(rows.length * affectedShare)), rows.length);
}
