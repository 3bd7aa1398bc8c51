/** Checkpoints of any shape, from seeded random numbers: what the prediction of memory has to hold for. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import pl, { type DataFrame, type Series } from "nodejs-polars";

export interface Shape {
  readonly rows: number;
  /** Feature tables. */
  readonly tables: number;
  /** Columns of each of them, without the key. */
  readonly columns: number;
  /** Share of the tables that lack every hundredth row and are not in order. */
  readonly misaligned?: number;
  /** Texts instead of numbers: few that repeat, or all different. */
  readonly texts?: "few" | "unique";
  /** Rows of a row group; all of them in one unless given. */
  readonly groupRows?: number;
}

/** Writes `<out>/audusd` in that shape. Tables of one kind, aligned or misaligned, are copies of one another. */
export async function makeShape(out: string, shape: Shape): Promise<void> {
  const folder = join(out, "audusd");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "_COMPLETE"), "");
  write(join(folder, "targets.parquet"), makeFrame(0, { ...shape, columns: 3 }), shape);
  const paths = Array.from({ length: shape.tables }, (_, table) =>
    join(folder, `t${String(table + 1).padStart(4, "0")}.parquet`),
  );
  const askew = Math.round(shape.tables * (shape.misaligned ?? 0));
  await writeCopies(paths.slice(0, askew), () => spoil(makeFrame(1, shape)), shape);
  await writeCopies(paths.slice(askew), () => makeFrame(2, shape), shape);
}

async function writeCopies([first, ...others]: readonly string[], make: () => DataFrame, shape: Shape): Promise<void> {
  if (first === undefined) return;
  write(first, make(), shape);
  for (const path of others) copyFileSync(first, path);
  await setImmediate();
}

function makeFrame(table: number, shape: Shape): DataFrame {
  const minutes = BigInt64Array.from(
    { length: shape.rows },
    (_, row) => 1_500_000_000_000_000n + BigInt(row) * 60_000_000n,
  );
  const instants: unknown = minutes;
  const key = pl.Series("interval_time", instants as never[]).cast(pl.Datetime("us", "UTC"));
  const columns = Array.from({ length: shape.columns }, (_, index) =>
    makeColumn(`c${index}`, table * 1000 + index, shape),
  );
  return pl
    .DataFrame([key, ...columns])
    .lazy()
    .fillNan(pl.lit(null))
    .collectSync();
}

function makeColumn(name: string, seed: number, { rows, texts }: Shape): Series {
  const numbers = drawNumbers(seed, rows);
  if (texts === undefined) return pl.Series(name, numbers);
  const text = (number: number): string => (texts === "few" ? `state ${Math.floor(number * 50)}` : `tick ${number}`);
  return pl.Series(
    name,
    Array.from(numbers, (number) => (Number.isNaN(number) ? null : text(number))),
    pl.Utf8,
  );
}

/** Numbers from 0 to 1; one in eight is NaN, which becomes null. */
function drawNumbers(seed: number, rows: number): Float64Array {
  const numbers = new Float64Array(rows);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let row = 0; row < rows; row += 1) {
    const high = nextState(state);
    state = nextState(high);
    numbers[row] = high >>> 29 === 0 ? Number.NaN : (high * 2 ** 21 + (state >>> 11)) / 2 ** 53;
  }
  return numbers;
}

function nextState(state: number): number {
  return (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
}

function spoil(frame: DataFrame): DataFrame {
  const cut = Math.floor(frame.height / 100);
  return pl.concat([frame.tail(frame.height - 2 * cut), frame.head(cut)]);
}

function write(path: string, frame: DataFrame, { groupRows }: Shape): void {
  const options = { compression: "snappy", statistics: true, rowGroupSize: groupRows ?? 2 ** 31 - 1 } as const;
  frame.lazy().sinkParquet(path, options).collectSync();
}
