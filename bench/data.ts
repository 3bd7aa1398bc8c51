import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Compression } from "./contenders.ts";

/** A checkpoint that every contender merges. */
export interface Dataset {
  readonly name: string;
  readonly input: string;
  readonly pair: string;
  readonly tables: number;
  readonly bytes: number;
  /** The codec of its files; Snappy unless given. */
  readonly compression?: Compression;
}

export type Size = "tiny" | "small" | "full";

const sizes: readonly Size[] = ["tiny", "small", "full"];

/** The size that SIZE names; small unless it is set. */
export function readSize(): Size {
  const text = process.env.SIZE ?? "small";
  const found = sizes.find((candidate) => candidate === text);
  if (found === undefined) throw new Error(`SIZE is one of ${sizes.join(", ")}, got ${text}`);
  return found;
}

const root = fileURLToPath(new URL("..", import.meta.url));
/** The pair that every dataset holds. */
export const pair = "audusd";
const shapes: Readonly<Record<Size, readonly string[]>> = {
  tiny: ["--tables", "60", "--rows", "3000"],
  small: ["--tables", "667", "--rows", "30000"],
  full: ["--full", "--rows", "100000"],
};

/** The flags of `widemerge sample` that make the data of a size. */
export function describeShape(size: Size): string {
  return `widemerge sample ${shapes[size].join(" ")} --pairs ${pair}`;
}

/** Makes the checkpoint of a size, with all tables aligned or all tables misaligned. */
export function makeDataset(work: string, size: Size, misaligned: boolean): Dataset {
  const name = misaligned ? "misaligned" : "aligned";
  return sampleInto(join(work, `${size}-${name}`), name, [
    ...shapes[size],
    ...(misaligned ? ["--misaligned", "1"] : []),
  ]);
}

/** Checkpoints of `count` tables of one width: one real table, copied under other names. */
export function makeGrowth(work: string, size: Size, count: number, misaligned: boolean): Dataset {
  const kind = misaligned ? "misaligned" : "aligned";
  const rows = size === "tiny" ? "3000" : "44000";
  const flags = ["--tables", "1", "--rows", rows, ...(misaligned ? ["--misaligned", "1"] : [])];
  const seed = sampleInto(join(work, `growth-${kind}`), kind, flags);
  const input = join(work, `growth-${kind}-${count}`);
  const folder = join(input, pair);
  mkdirSync(folder, { recursive: true });
  const from = join(seed.input, pair);
  const table = readdirSync(from).find((file) => file.endsWith(".parquet") && file !== "targets.parquet");
  if (table === undefined) throw new Error(`no feature table in ${from}`);
  copyFileSync(join(from, "targets.parquet"), join(folder, "targets.parquet"));
  for (let index = 0; index < count; index += 1) {
    copyFileSync(join(from, table), join(folder, `copy_${String(index).padStart(3, "0")}_${pair}.parquet`));
  }
  writeFileSync(join(folder, "_COMPLETE"), "");
  return describeDataset(input, kind);
}

/** Removes a checkpoint that is no longer needed. */
export function dropDataset(dataset: Dataset): void {
  rmSync(dataset.input, { recursive: true, force: true });
}

/** Makes a checkpoint with these flags of `widemerge sample`, unless it exists. */
export function sampleInto(input: string, name: string, flags: readonly string[], pairs = pair): Dataset {
  if (!existsSync(join(input, pair, "_COMPLETE"))) {
    const command = ["sample", "--out", input, "--pairs", pairs, ...flags];
    const { status } = spawnSync(join(root, "bin/widemerge"), command, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) throw new Error(`widemerge ${command.join(" ")} ended with ${status}`);
  }
  return describeDataset(input, name);
}

/** A checkpoint that lies under `input`. */
export function describeDataset(input: string, name: string): Dataset {
  const files = readdirSync(join(input, pair)).filter((file) => file.endsWith(".parquet"));
  const bytes = files.reduce((sum, file) => sum + statSync(join(input, pair, file)).size, 0);
  return { name, input, pair, tables: files.length - 1, bytes };
}
