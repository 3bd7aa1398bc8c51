import pMap from "p-map";
import { chooseTables, findGap, listTables } from "../model/checkpoint.ts";
import { compareWithManifest } from "../model/comparison.ts";
import { folderOf } from "../model/folders.ts";
import { decodeManifest } from "../model/manifest.ts";
import { nameOutputs } from "../model/output-names.ts";
import { listPartial } from "../model/partial-table.ts";
import type { Manifest } from "../model/result.ts";
import type { PairOutput } from "../model/run.ts";
import type { RunSettings } from "../model/settings.ts";
import { agree, formatNumber } from "../model/units.ts";
import type { RunStore } from "./documents.ts";

/** Whether a pair is done, by what is in the store alone. */
export interface Completion {
  readonly pair: string;
  /**
   * "done": the output and its manifest exist, and match these inputs and settings. "unsure": they match if the bytes of
   * some inputs are unchanged, which only a worker can check. "to do": everything else.
   */
  readonly verdict: "done" | "unsure" | "to do";
  /** One line. */
  readonly why: string;
  /** Size of all tables; 0 without a checkpoint. */
  readonly inputBytes: number;
  readonly output?: PairOutput;
}

/** Compares a pair's checkpoint, output and manifest. Reads the manifest and two listings, but no Parquet. */
export async function checkCompletion(store: RunStore, settings: RunSettings, pair: string): Promise<Completion> {
  const folder = store.join(settings.input, folderOf(settings.folders, pair));
  const files = await store.list(folder);
  if (files === undefined) return { pair, verdict: "to do", why: `no checkpoint in ${folder}`, inputBytes: 0 };
  const inputs = chooseTables(listTables(files), pair, settings).chosen;
  const inputBytes = inputs.reduce((sum, { size }) => sum + size, 0);
  const toDo = (why: string): Completion => ({ pair, verdict: "to do", why, inputBytes });
  const gap = findGap(pair, files, settings, await readExpected(store, settings));
  if (gap !== undefined) return toDo(gap);
  const names = nameOutputs(pair);
  const output = await store.stat(store.join(settings.output, names.output));
  if (output === undefined) return toDo("no output yet");
  const text = await store.readText(store.join(settings.output, names.manifest));
  if (text === undefined) return toDo("the output has no manifest");
  const manifest = decodeManifest(text);
  if (manifest === undefined) return toDo("the output has no manifest that this version can read");
  const comparison = compareWithManifest(manifest, {
    inputs,
    outputBytes: output.size,
    outputCrc32c: output.crc32c,
    settings,
  });
  if (comparison.verdict === "other")
    return toDo(`the output was made from other inputs or settings: ${comparison.why}`);
  const found = { pair, inputBytes, output: describeOutput(manifest, inputBytes) };
  return comparison.verdict === "same"
    ? { ...found, verdict: "done", why: "the output and its manifest match these inputs and settings" }
    : {
        ...found,
        verdict: "unsure",
        why: `${formatNumber(comparison.inputs.length, "table")} ${agree(comparison.inputs.length, "was", "were")} rewritten since`,
      };
}

function readExpected(store: RunStore, { expectTables }: RunSettings): Promise<string | undefined> | undefined {
  return typeof expectTables === "string" ? store.readText(expectTables) : undefined;
}

function describeOutput(manifest: Manifest, inputBytes: number): PairOutput {
  const families: Record<string, { spliced: number; aligned: number }> = {};
  for (const { table, action } of manifest.inputs) {
    const family = familyOf(table, manifest.pair);
    const counts = Object.hasOwn(families, family) ? families[family] : undefined;
    const { spliced, aligned } = counts ?? { spliced: 0, aligned: 0 };
    families[family] = action === "splice" ? { spliced: spliced + 1, aligned } : { spliced, aligned: aligned + 1 };
  }
  return {
    rows: manifest.rows,
    columns: manifest.columns,
    sizeBytes: manifest.output.size,
    inputBytes,
    families,
    predictedPeakBytes: manifest.memory.predictedBytes,
    partialTables: listPartial(manifest.rows, manifest.inputs),
  };
}

/** pair_momentum_012_audusd → pair; targets → targets. */
function familyOf(table: string, pair: string): string {
  const ending = `_${pair}`;
  const name = table.endsWith(ending) ? table.slice(0, -ending.length) : table;
  return /^[^_\d]+/.exec(name)?.[0] ?? name;
}

/** A manifest of 17,000 columns is 2 MB of JSON: this many at once keep the network busy and memory small. */
const pairsAtOnce = 4;

/** Looks at every pair, in their order. Nothing is written. */
export function checkCompletions(
  store: RunStore,
  settings: RunSettings,
  pairs: readonly string[],
): Promise<readonly Completion[]> {
  return pMap(pairs, (pair) => checkCompletion(store, settings, pair), { concurrency: pairsAtOnce });
}
