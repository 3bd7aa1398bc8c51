import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export type Compression = "snappy" | "zstd";

/** A tool in the comparison: widemerge, the physical limit, or something that people would use instead. */
export interface Contender {
  readonly name: string;
  /** "limit": copies bytes and merges nothing. "positional": checks no keys, so it is right for aligned tables only. */
  readonly kind: "widemerge" | "limit" | "join" | "positional";
  /** The command that writes the merged file of a pair to `output`; widemerge keeps the codec of its inputs. */
  readonly command: (input: string, pair: string, output: string, compression: Compression) => readonly string[];
}

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..");
const python = join(root, ".venv/bin/python");

/** The output file of widemerge, and therefore of every contender. */
export function outputPath(folder: string, pair: string): string {
  return join(folder, `training_${pair}.parquet`);
}

/** widemerge as users start it. */
export const ownContender: Contender = { name: "widemerge", kind: "widemerge", command: mergeCommand() };

/** All contenders that run on this machine; Python peers need .venv. */
export function listContenders(): readonly Contender[] {
  return [
    ownContender,
    // Comparable with its peers, which leave flushing to the system.
    { name: "widemerge --no-sync", kind: "widemerge", command: mergeCommand("--no-sync") },
    { name: "cat", kind: "limit", command: catCommand("") },
    { name: "cat + fsync", kind: "limit", command: catCommand(' && sync "$0"') },
    peer("nodejs-polars, eager left joins", "join", "eager-join.ts"),
    peer("nodejs-polars, streaming horizontal concat", "positional", "streaming-concat.ts"),
    peer("DuckDB, POSITIONAL JOIN", "positional", "positional-join.ts"),
    ...(existsSync(python)
      ? [
          peer("pyarrow, columns appended", "positional", "pyarrow_append.py"),
          peer("Python Polars, streaming horizontal concat", "positional", "polars_concat.py"),
          peer("Python Polars, eager left joins", "join", "polars_join.py"),
        ]
      : []),
  ];
}

function peer(name: string, kind: Contender["kind"], script: string): Contender {
  const path = join(here, "peers", script);
  const start = script.endsWith(".py") ? [python, path] : [process.execPath, "--no-warnings", path];
  return { name, kind, command: (input, pair, output, codec) => [...start, join(input, pair), pair, output, codec] };
}

function mergeCommand(...options: readonly string[]): Contender["command"] {
  return (input, pair, output) => {
    const folders = ["--input", input, "--output", join(output, "..")];
    return [join(root, "bin/widemerge"), "merge", pair, ...folders, "--json", ...options];
  };
}

function catCommand(after: string): Contender["command"] {
  return (input, pair, output) => ["sh", "-c", `cat "$1"/*.parquet > "$0"${after}`, output, join(input, pair)];
}
