import { readdirSync } from "node:fs";
import { join } from "node:path";

/** A feature table for a peer: its file, and the names of its columns in the output. */
export interface PeerTable {
  readonly path: string;
  readonly prefix: string;
}

/** Arguments of every peer: <checkpoint folder> <pair> <output file> <codec>. */
export function readArguments(): { folder: string; pair: string; output: string; compression: "snappy" | "zstd" } {
  const [folder, pair, output, compression] = process.argv.slice(2);
  if (folder === undefined || pair === undefined || output === undefined) {
    throw new Error("usage: <checkpoint folder> <pair> <output file> <codec>");
  }
  return { folder, pair, output, compression: compression === "zstd" ? "zstd" : "snappy" };
}

export function listFeatures(folder: string, pair: string): PeerTable[] {
  const names = readdirSync(folder).filter((file) => file.endsWith(".parquet") && file !== "targets.parquet");
  return names.sort().map((file) => ({
    path: join(folder, file),
    prefix: file.replace(/\.parquet$/, "").replace(new RegExp(`_${pair}$`), ""),
  }));
}

export function targetsOf(folder: string): string {
  return join(folder, "targets.parquet");
}
