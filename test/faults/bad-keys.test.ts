/** Keys that cannot decide which row belongs where, and names that two columns would share. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pl, { type DataFrame } from "nodejs-polars";
import { checkRefusal, type Refusal } from "./refusal.ts";
import { makeFolder, makeSample } from "./support.ts";

const table = "pair_return_001_audusd";
const other = "mkt_return_001_audusd";
const key = "interval_time";

/** Reads a table, changes it, and writes it back. */
function rewrite(name: string, change: (frame: DataFrame) => DataFrame): (checkpoint: string) => void {
  return (checkpoint) => {
    const path = join(checkpoint, `${name}.parquet`);
    change(pl.readParquet(path)).writeParquet(path, { compression: "snappy" });
  };
}

const keyAs = (type: pl.DataType) => (frame: DataFrame) => frame.withColumn(pl.col(key).cast(type));
const withNulls = (frame: DataFrame): DataFrame => {
  const none = pl.lit(null).cast(pl.Datetime("us", "UTC")).alias(key);
  return pl.concat([frame.head(3).withColumn(none), frame.tail(frame.height - 3)]);
};
const later = (frame: DataFrame): DataFrame => frame.withColumn(pl.col(key).plus(1));
/** Rows 10 to 14 once more, at the end. */
const repeatRows = (frame: DataFrame): DataFrame => pl.concat([frame, frame.slice(10, 5)]);

const refusals: Readonly<Record<string, Refusal>> = {
  "the key column is missing in a table": {
    spoil: rewrite(table, (frame) => frame.drop(key)),
    problems: [new RegExp(`^${table} \\| no flat key column ${key} \\| columns w5_lag0.* \\| .*--key`)],
  },
  "the key column is missing in the targets": {
    spoil: rewrite("targets", (frame) => frame.rename({ [key]: "time" })),
    problems: [/^targets \| no flat key column interval_time \| columns .* and 45 more \| /],
  },
  "the key column has another name everywhere": {
    args: () => ["--key", "time"],
    problems: [
      /no table has the key column time \| all \d+ tables have interval_time \| name the key: --key interval_time$/,
    ],
  },
  "a table's keys are partly null": {
    spoil: rewrite(table, withNulls),
    problems: [new RegExp(`^${table} \\| null keys in ${key} \\| 3 nulls \\| drop these rows`)],
  },
  "the targets' keys are partly null": {
    spoil: rewrite("targets", withNulls),
    problems: [/^targets \| null keys in interval_time of the targets \| 3 nulls \| drop these rows/],
  },
  "a table's key is a number": {
    spoil: rewrite(table, keyAs(pl.Int64)),
    problems: [
      new RegExp(
        `^${table} \\| key column ${key} does not fit the targets' \\| type Int64 where .*Datetime\\(us,UTC\\)`,
      ),
    ],
  },
  "a table's key is a text": {
    spoil: rewrite(table, keyAs(pl.Utf8)),
    problems: [new RegExp(`^${table} \\| key column .* does not fit .* \\| type String where the targets have`)],
  },
  "a table's key has another zone": {
    spoil: rewrite(table, keyAs(pl.Datetime("us"))),
    problems: [new RegExp(`^${table} \\| key column .* does not fit .* \\| type Datetime\\(us,?\\) where`)],
  },
  "a table's key is of a type that cannot be a key": {
    spoil: rewrite(table, (frame) => keyAs(pl.Float64)(keyAs(pl.Int64)(frame))),
    problems: [new RegExp(`^${table} \\| .* type that cannot be a key \\| DOUBLE \\| use a timestamp`)],
  },
  "the targets' key is of a type that cannot be a key": {
    spoil: rewrite("targets", (frame) => keyAs(pl.Float64)(keyAs(pl.Int64)(frame))),
    problems: [/^targets \| .* type that cannot be a key \| DOUBLE/],
  },
  "a table's keys are finer than the targets' can be": {
    spoil: (checkpoint) => {
      rewrite("targets", keyAs(pl.Datetime("ms", "UTC")))(checkpoint);
      rewrite(table, (frame) => keyAs(pl.Datetime("us", "UTC"))(later(keyAs(pl.Int64)(frame))))(checkpoint);
    },
    problems: [
      new RegExp(
        `^${table} \\| no key in ${key} is one of the targets' \\| 300 rows, first key \\d{4}-.* \\| .*--min-match 0`,
      ),
    ],
  },
  "the targets' keys repeat": {
    spoil: rewrite("targets", repeatRows),
    problems: [
      /^targets \| duplicate keys in .* of the targets \| 5 repeated rows, first key \d{4}-.* \| make the targets'/,
    ],
  },
  "the targets' keys repeat, whatever the policy for tables": {
    spoil: rewrite("targets", repeatRows),
    args: () => ["--duplicates", "first"],
    problems: [/^targets \| duplicate keys in .* of the targets/],
  },
  "keys of two tables repeat": {
    spoil: (checkpoint) => {
      rewrite(table, repeatRows)(checkpoint);
      rewrite(other, (frame) => pl.concat([frame, frame.slice(7, 1)]))(checkpoint);
    },
    problems: [
      new RegExp(`^${table} \\| duplicate keys in ${key} \\| 5 repeated rows, first key \\d{4}-.* \\| .*--duplicates`),
      new RegExp(`^${other} \\| duplicate keys in ${key} \\| 1 repeated rows?, first key \\d{4}-`),
    ],
  },
  "two tables would give a column the same name": {
    spoil: (checkpoint) =>
      copyFileSync(join(checkpoint, `${table}.parquet`), join(checkpoint, "pair_return_001.parquet")),
    problems: [
      new RegExp(
        `^${table} \\| two columns would be named pair_return_001_w\\d+_lag0 \\| pair_return_001\\.w\\d+_lag0 and ${table}\\.w\\d+_lag0 \\| rename`,
      ),
    ],
  },
  "names are kept and a table has a target's": {
    spoil: rewrite(table, (frame) => frame.select(key, "w5_lag0").rename({ w5_lag0: "fwd_ret_h1_w1" })),
    args: () => ["--naming", "keep"],
    problems: [
      /^pair_momentum_001_audusd \| two columns would be named w\d+_lag0 \| mkt_return_001_audusd\.w\d+_lag0 and pair_momentum/,
      new RegExp(
        `^${table} \\| two columns would be named fwd_ret_h1_w1 \\| targets\\.fwd_ret_h1_w1 and ${table}\\.fwd_ret_h1_w1`,
      ),
    ],
  },
};

describe("a checkpoint is refused because", { concurrency: 2 }, () => {
  const samples = makeFolder({ after });
  before(() => makeSample(samples, { tables: 6, rows: 300 }));
  for (const [name, refusal] of Object.entries(refusals))
    it(name, (context) => checkRefusal(context, join(samples, "audusd"), refusal).then(() => undefined));
});
