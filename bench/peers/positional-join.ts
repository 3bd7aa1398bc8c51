import { rmSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { listFeatures, type PeerTable, readArguments, targetsOf } from "./tables.ts";

/** DuckDB's POSITIONAL JOIN of all files: it checks no keys, so it is right only if every table is aligned. */
const { folder, pair, output, compression } = readArguments();
const key = "interval_time";
const instance = await DuckDBInstance.create(":memory:", { temp_directory: `${output}.tmp` });
const connection = await instance.connect();
const sources = [{ path: targetsOf(folder), prefix: "" }, ...listFeatures(folder, pair)];
const selected: string[] = [];
for (const [index, source] of sources.entries()) selected.push(...(await selectColumns(source, index)));
const from = sources.map(({ path }, index) => `read_parquet('${path}') t${index}`).join(" POSITIONAL JOIN ");
await connection.run(
  `COPY (SELECT ${selected.join(", ")} FROM ${from}) TO '${output}' (FORMAT parquet, COMPRESSION ${compression})`,
);
rmSync(`${output}.tmp`, { recursive: true, force: true });

async function selectColumns({ path, prefix }: PeerTable, index: number): Promise<string[]> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet('${path}')`);
  const names = described.getRows().map(([name]) => String(name));
  if (prefix === "") return names.map((name) => `t${index}."${name}"`);
  return names.filter((name) => name !== key).map((name) => `t${index}."${name}" AS "${prefix}_${name}"`);
}
