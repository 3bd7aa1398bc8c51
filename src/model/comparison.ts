import { isDeepStrictEqual } from "node:util";
import { isPandasIndex } from "./column-names.ts";
import { type Folders, stripPair } from "./folders.ts";
import type { InputFile } from "./plan.ts";
import type { Manifest, ManifestInput } from "./result.ts";
import type { CompletenessSettings, KeyPolicies, OutputSettings } from "./settings.ts";
import type { TableChoice } from "./table-choice.ts";
import { agree, formatCount, formatNumber } from "./units.ts";

/** The settings that change the bytes of the output, and no others. */
export function outputSettings(settings: OutputSettings): OutputSettings {
  const { key, targets, duplicates, naming, rowGroupRows, separator, keepIndex, rename, keyCast } = settings;
  return { key, targets, duplicates, naming, rowGroupRows, separator, keepIndex, rename, keyCast };
}

/** The settings that manifests and records of version 0.1.0 do not have, as they were then. */
const addedSettings = { separator: "_", keepIndex: false, rename: {}, keyCast: "none" } as const;

/** The settings of a manifest or a record, which an earlier version may have written. */
export function completeSettings<Some extends object>(settings: Some): typeof addedSettings & Some {
  return { ...addedSettings, ...settings };
}

/**
 * The settings that decide what the outputs of a run are and whether they may exist. A choice of tables, names of folders
 * and policies that let more pass than the defaults are there only where they are in force.
 */
export function runSettings(settings: OutputSettings & KeyPolicies & TableChoice & { readonly folders: Folders }) {
  const { tables, excludeTables, folders, nullKeys, minMatch } = settings;
  return {
    ...outputSettings(settings),
    ...(nullKeys !== "error" && { nullKeys }),
    ...(minMatch === 0 && { minMatch }),
    ...(tables.length > 0 && { tables }),
    ...(excludeTables.length > 0 && { excludeTables }),
    ...(Object.keys(folders).length > 0 && { folders }),
  };
}

/** The settings that say when a checkpoint is complete. */
export function completenessSettings({ requireMarker, expectTables }: CompletenessSettings) {
  return { requireMarker, ...(expectTables === undefined ? {} : { expectTables }) };
}

/** The present inputs, output and settings, to compare with a manifest. */
export interface Present {
  /** Targets and features, in any order. */
  readonly inputs: readonly InputFile[];
  /** Size of the output in bytes. */
  readonly outputBytes: number;
  /** CRC32C of the output, where the store knows it without reading. */
  readonly outputCrc32c?: string | undefined;
  readonly settings: OutputSettings & KeyPolicies;
}

export type Comparison =
  /** The output was made from the same inputs with the same settings. */
  | { readonly verdict: "same" }
  /** These inputs have the same sizes but other versions, as in a copied checkpoint: only their bytes can tell. */
  | { readonly verdict: "unsure"; readonly inputs: readonly InputFile[] }
  | { readonly verdict: "other"; readonly why: string };

/** Whether an output was made from these inputs and settings, as far as listings and metadata can tell. */
export function compareWithManifest(manifest: Manifest, present: Present): Comparison {
  const why = findDifference(manifest, present);
  if (why !== undefined) return { verdict: "other", why };
  const before = new Map(manifest.inputs.map((input) => [input.table, input]));
  const rewritten = present.inputs.filter((input) => before.get(input.table)?.version !== input.version);
  // The checksums of the store leave no doubt.
  const changed = rewritten.find(({ table, crc32c }) => crc32c !== undefined && before.get(table)?.crc32c !== crc32c);
  if (changed !== undefined) return { verdict: "other", why: `${changed.table} has changed since the merge` };
  const inputs = rewritten.filter((input) => input.crc32c === undefined);
  return inputs.length === 0 ? { verdict: "same" } : { verdict: "unsure", inputs };
}

function findDifference(
  manifest: Manifest,
  { inputs, outputBytes, outputCrc32c, settings }: Present,
): string | undefined {
  if (manifest.output.size !== outputBytes)
    return `it has ${outputBytes} bytes, but its manifest says ${manifest.output.size}`;
  if (outputCrc32c !== undefined && outputCrc32c !== manifest.output.crc32c)
    return `its CRC32C is ${outputCrc32c}, but its manifest says ${manifest.output.crc32c}`;
  if (!isDeepStrictEqual(settingsOf(manifest, settings), outputSettings(settings)))
    return `it was made with ${JSON.stringify(manifest.settings)}`;
  const folder = findOtherFolder(manifest, inputs);
  if (folder !== undefined) return `it was made from a folder ${folder}, which gives its columns other names`;
  const before = new Map(manifest.inputs.map((input) => [input.table, input]));
  if (inputs.length !== manifest.inputs.length)
    return `it was made from ${formatNumber(manifest.inputs.length, "table")}, now there ${agree(inputs.length, "is", "are")} ${formatCount(inputs.length)}`;
  const unknown = inputs.find((input) => !before.has(input.table));
  if (unknown !== undefined) return `it was made without ${unknown.table}`;
  const changed = inputs.find((input) => before.get(input.table)?.size !== input.size);
  return changed === undefined ? findRefused(manifest, settings) : `${changed.table} has changed since the merge`;
}

/**
 * The settings that an output was made with. Version 0.1.0 kept every index that pandas saved: its output is what either
 * setting gives where no table has one.
 */
function settingsOf({ settings, inputs }: Manifest, present: OutputSettings): OutputSettings {
  const hasIndex = inputs.some(({ columns }) => columns.some(({ input }) => isPandasIndex(input)));
  const { keepIndex = hasIndex || present.keepIndex }: Partial<OutputSettings> = settings;
  return { ...completeSettings(settings), keepIndex };
}

/** The name of the folder that an output was made from, if tables lost that name at their end, or would lose the present one. */
function findOtherFolder({ pair, inputs, settings }: Manifest, present: readonly InputFile[]): string | undefined {
  const [from, to] = [inputs, present].map(([first]) => first?.path.split(/[/\\]/).at(-2));
  if (from === undefined || to === undefined || from === to || settings.naming === "keep") return undefined;
  const differs = present.some(({ table }) => stripPair(table, [pair, from]) !== stripPair(table, [pair, to]));
  return differs ? from : undefined;
}

/** What a merge would now refuse about the keys of a table of the output. */
function findRefused({ settings, rows, inputs }: Manifest, { nullKeys, minMatch }: KeyPolicies): string | undefined {
  for (const input of inputs) {
    const { table, rowsNullFilled } = input;
    if (minMatch !== 0 && rows > 0 && rowsNullFilled === rows)
      return `${table} has none of the targets' keys: its columns are null, which only --min-match 0 allows`;
    const nulls = nullKeys === "error" ? mostNullKeys(input, settings) : 0;
    if (nulls > 0) {
      const count = input.nullKeyRows === undefined ? "perhaps rows" : formatNumber(nulls, "row");
      return `it lacks ${count} of ${table} without a key, which only --null-keys drop allows`;
    }
  }
  return undefined;
}

/**
 * The most rows without a key that an input can have. Version 0.1.0, which had no setting for an index, refused them; versions
 * between did not count them, so that any row that is dropped but for its key's repetition may be one.
 */
function mostNullKeys(input: ManifestInput, settings: Partial<OutputSettings>): number {
  const uncounted = settings.keepIndex === undefined ? 0 : input.rowsDropped - input.duplicateRows;
  return input.nullKeyRows ?? uncounted;
}
