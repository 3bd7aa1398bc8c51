/** What the sections of the benchmark share: folders, limits, and where results go. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GiB } from "../src/model/units.ts";
import type { Caps } from "./measure.ts";

export const here = fileURLToPath(new URL(".", import.meta.url));
export const root = join(here, "..");
/** The folder of data and outputs. */
export const work = join(here, "work");
export const widemerge = join(root, "bin/widemerge");
/** Whether the data stay for the next run. */
export const keep = process.env.KEEP === "1";
export const rounds = Number(process.env.RUNS ?? 3);
export const today = new Date().toISOString().slice(0, 10);
export const caps: Caps = {
  dataBytes: 18 * GiB,
  totalBytes: 20 * GiB,
  seconds: Number(process.env.CAP_SECONDS ?? 900),
};

/** Does something with a work folder, which is removed afterwards unless it is kept. */
export async function withWorkFolder(action: () => Promise<void>): Promise<void> {
  mkdirSync(work, { recursive: true });
  try {
    await action();
  } finally {
    if (!keep) rmSync(work, { recursive: true, force: true });
  }
}

/** Prints a page and, unless the size is tiny, writes it with its results to bench/results. The tiny size is only a test. */
export function publish(size: string, name: string, page: string, results: unknown): void {
  process.stdout.write(page);
  if (size === "tiny") return;
  const folder = join(here, "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.md`), page);
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(results, null, 2)}\n`);
}

/** Tells the progress on stderr. */
export function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
