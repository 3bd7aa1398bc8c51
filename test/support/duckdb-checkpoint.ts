/** Checkpoints as DuckDB writes them: row groups of 2,048 rows, version 2 pages, bloom filters, binary, uuid. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { copyTo } from "./duckdb.ts";

/** Columns as functions of the row's number `k`. */
const expressions = {
  small: "case when k % 5 = 0 then null else (k % 7)::utinyint end",
  number: "k * 1000000007",
  unsigned: "(18446744073709551615::ubigint - k::ubigint)",
  single: "case k % 4 when 0 then 'nan'::float when 1 then '-inf'::float when 2 then '-0.0'::float else k / 3 end",
  double: "case when k % 9 = 0 then null else sin(k) end",
  flag: "case when k % 3 = 0 then null else k % 2 = 0 end",
  word: "(k % 5)::varchar",
  text: "case when k % 11 = 0 then '' else repeat('ü', (k % 20)::int) || k end",
  blob: "case when k % 6 = 0 then null else unhex(printf('%04X', k)) end",
  day: "date '2000-01-01' + (k % 1000)::int",
  clock: "time '00:00:00' + interval (k) second",
  nano: "make_timestamp_ns(k * 1000003)",
  money: "(k / 8)::decimal(18, 3)",
  huge: "case when k % 4 = 0 then null else (k / 16)::decimal(38, 10) end",
  nothing: "null::double",
} as const;
/** Fixed-length binary cannot be aligned: only for tables with the targets' keys. */
const spliceOnly = { uuid: "('00000000-0000-4000-8000-' || lpad(to_hex(k), 12, '0'))::uuid" } as const;

type Expression = keyof typeof expressions;
type Misalignment = "same" | "lacks rows" | "has extra rows" | "unsorted" | "repeats rows";

interface DuckTable {
  readonly columns: readonly Expression[];
  readonly codec: string;
  readonly rowGroupSize: number;
  readonly version: "v1" | "v2";
  readonly dictionary: boolean;
  readonly keys: Misalignment;
}

export interface DuckCheckpoint {
  readonly rows: number;
  readonly targets: DuckTable;
  readonly features: readonly DuckTable[];
  readonly rowGroupRows: "auto" | number;
  readonly verify: "structure" | "sample" | "full";
}

/** `k` of every row of a table, for targets of `rows` rows. */
const numbers: Readonly<Record<Misalignment, (rows: number) => string>> = {
  same: (rows) => `select range k from range(${rows})`,
  "lacks rows": (rows) => `select range k from range(${rows}) where range % 7 <> 3`,
  "has extra rows": (rows) => `select range k from range(${rows} + 500)`,
  unsorted: (rows) => `select range k from range(${rows}) order by hash(range)`,
  "repeats rows": (rows) => `select range k from range(${rows}) union all select range k from range(${rows} // 3)`,
};

function selectOf(table: DuckTable, rows: number): string {
  const drawn = table.columns.map((name) => `${expressions[name]} as ${name}`);
  // A number of the row, not of its key: of repeated keys it tells which row was taken.
  const row = "row_number() over () as row";
  const extra = table.keys === "same" ? [`${spliceOnly.uuid} as uuid`] : [];
  const key = "timestamptz '1999-12-31 00:00:00Z' + interval (k) minute as interval_time";
  return `select ${[key, row, ...drawn, ...extra].join(", ")} from (${numbers[table.keys](rows)})`;
}

function optionsOf({ codec, rowGroupSize, version, dictionary }: DuckTable): string {
  const limit = dictionary ? "" : ", dictionary_size_limit 0";
  return `codec '${codec}', row_group_size ${rowGroupSize}, parquet_version ${version}${limit}`;
}

/** Writes the checkpoint as `<input>/pair/*.parquet`, in place of the one before. */
export async function writeDuckCheckpoint(input: string, drawn: DuckCheckpoint): Promise<void> {
  const folder = join(input, "pair");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const tables = {
    targets: drawn.targets,
    ...Object.fromEntries(drawn.features.map((table, at) => [`t${at}`, table])),
  };
  for (const [name, table] of Object.entries(tables))
    await copyTo(join(folder, `${name}.parquet`), selectOf(table, drawn.rows), optionsOf(table));
  writeFileSync(join(folder, "_COMPLETE"), "");
}

const table = (keys: fc.Arbitrary<Misalignment>, groups: fc.Arbitrary<number>): fc.Arbitrary<DuckTable> =>
  fc.record({
    columns: fc.uniqueArray(fc.constantFrom(...(Object.keys(expressions) as Expression[])), {
      maxLength: 6,
      size: "max",
    }),
    codec: fc.constantFrom("snappy", "zstd", "gzip", "lz4_raw", "brotli", "uncompressed"),
    rowGroupSize: groups,
    version: fc.constantFrom("v1" as const, "v2"),
    dictionary: fc.boolean(),
    keys,
  });

/** One size of row groups for a whole checkpoint, so that tables with the targets' keys can be spliced. */
export const anyDuckCheckpoint: fc.Arbitrary<DuckCheckpoint> = fc.constantFrom(2048, 4096, 100_000).chain((groups) => {
  const keys = fc.constantFrom<Misalignment[]>(
    "same",
    "same",
    "lacks rows",
    "has extra rows",
    "unsorted",
    "repeats rows",
  );
  return fc.record({
    rows: fc.constantFrom(0, 1, 700, 2048, 2049, 5000),
    targets: table(fc.constant("same" as const), fc.constant(groups)),
    features: fc.array(table(keys, fc.constant(groups)), { maxLength: 4, size: "max" }),
    rowGroupRows: fc.constant("auto" as const),
    verify: fc.constantFrom("structure" as const, "sample", "full"),
  });
});
