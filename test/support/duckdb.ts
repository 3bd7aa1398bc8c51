import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

let connection: Promise<DuckDBConnection> | undefined;

async function connect(): Promise<DuckDBConnection> {
  const opened = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
  await opened.run("set timezone = 'UTC'");
  return opened;
}

/** Rows of a query, as DuckDB turns them into JSON: a second opinion on every file, from code that shares nothing with ours. */
export async function query(sql: string): Promise<Record<string, unknown>[]> {
  connection ??= connect();
  return (await (await connection).runAndReadAll(sql)).getRowObjectsJson();
}

/** Writes the rows of a query as Parquet; `options` as in COPY: "CODEC 'zstd', ROW_GROUP_SIZE 2048". */
export async function copyTo(path: string, select: string, options = ""): Promise<void> {
  await query(`copy (${select}) to '${path}' (format parquet${options === "" ? "" : `, ${options}`})`);
}
