import { statSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Contender } from "./contenders.ts";
import type { Dataset } from "./data.ts";
import { listFeatures, type PeerTable, targetsOf } from "./peers/tables.ts";

/** The expected output, computed from the inputs with DuckDB, which shares no code with widemerge. */
export interface Expectation {
  readonly bytes: number;
  readonly rows: number;
  readonly columns: number;
  /** Digests over every value of some columns, by output name. */
  readonly digests: ReadonlyMap<string, string>;
}

const checkedTables = 8;
const key = "interval_time";

/** Rows and columns of the left join, and digests of one column of some tables. */
export async function expect(dataset: Dataset): Promise<Expectation> {
  const folder = `${dataset.input}/${dataset.pair}`;
  const targets = targetsOf(folder);
  const features = listFeatures(folder, dataset.pair);
  const rows = Number(await ask(`SELECT num_rows FROM parquet_file_metadata('${targets}')`));
  const columns = (await namesOf(`${folder}/*.parquet`)).length - features.length;
  const digests = new Map<string, string>();
  for (const table of pick(features)) {
    const name = (await namesOf(table.path)).findLast((candidate) => candidate !== key) ?? key;
    digests.set(`${table.prefix}_${name}`, await digestJoined(targets, table.path, name));
  }
  return { bytes: dataset.bytes, rows, columns, digests };
}

/** Why an output is wrong; undefined if it is right. */
export async function findFault(
  contender: Contender,
  path: string,
  expected: Expectation,
): Promise<string | undefined> {
  if (contender.kind === "limit") {
    const { size } = statSync(path);
    return size === expected.bytes ? undefined : `${size} bytes instead of ${expected.bytes}`;
  }
  const rows = Number(await ask(`SELECT num_rows FROM parquet_file_metadata('${path}')`));
  if (rows !== expected.rows) return `${rows} rows instead of ${expected.rows}`;
  const columns = (await namesOf(path)).length;
  if (columns !== expected.columns) return `${columns} columns instead of ${expected.columns}`;
  for (const [name, digest] of expected.digests) {
    if ((await digestColumn(path, name)) !== digest) return `column ${name} has other values`;
  }
  return undefined;
}

function pick(features: readonly PeerTable[]): PeerTable[] {
  const step = Math.max(1, Math.floor(features.length / checkedTables));
  return features.filter((_, index) => index % step === 0);
}

/** The order of rows matters: every value is hashed together with its row. */
function digestColumn(path: string, name: string): Promise<string> {
  return ask(`SELECT bit_xor(hash(file_row_number, "${name}")) FROM read_parquet('${path}', file_row_number = true)`);
}

function digestJoined(targets: string, table: string, name: string): Promise<string> {
  return ask(`SELECT bit_xor(hash(t.file_row_number, f."${name}"))
    FROM read_parquet('${targets}', file_row_number = true) t LEFT JOIN read_parquet('${table}') f USING (${key})`);
}

async function namesOf(path: string): Promise<string[]> {
  return (await run(`SELECT name FROM parquet_schema('${path}') WHERE num_children IS NULL OR num_children = 0`)).map(
    ([name]) => String(name),
  );
}

async function ask(query: string): Promise<string> {
  return String((await run(query))[0]?.[0]);
}

/** Every query has its own connection, so that nothing is cached between queries. */
async function run(query: string): Promise<readonly (readonly unknown[])[]> {
  const instance = await DuckDBInstance.create(":memory:");
  try {
    const connection = await instance.connect();
    return (await connection.runAndReadAll(query)).getRows();
  } finally {
    instance.closeSync();
  }
}
