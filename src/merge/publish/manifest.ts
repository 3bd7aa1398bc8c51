import * as v from "valibot";
import { outputSettings } from "../../model/comparison.ts";
import type { MemoryRecord } from "../../model/measurement.ts";
import { Pair } from "../../model/names.ts";
import { nameOutputs } from "../../model/output-names.ts";
import { describeInput, type Plan } from "../../model/plan.ts";
import type { Manifest, ManifestInput, StageTime, Verification } from "../../model/result.ts";
import type { OutputSettings } from "../../model/settings.ts";
import { toAbsolute } from "../../model/storage-path.ts";
import { version } from "../../model/version.ts";
import type { Store, Written } from "../../store/store.ts";
import { printColumns, type TransferredTable } from "../table.ts";

/** What the manifest is made of. */
export interface ManifestParts {
  readonly plan: Plan;
  readonly tables: readonly TransferredTable[];
  readonly written: Written;
  readonly verification: Verification;
  readonly memory: MemoryRecord;
  readonly stages: readonly StageTime[];
  readonly settings: OutputSettings;
}

/** The provenance of an output: pure. */
export function makeManifest(parts: ManifestParts): Manifest {
  const { plan, tables, written, verification, memory, stages, settings } = parts;
  return {
    format: 1,
    widemerge: version,
    pair: plan.pair,
    digest: plan.digest,
    output: { name: nameOutputs(plan.pair).output, ...written },
    rows: plan.rows,
    columns: plan.columns,
    rowGroups: plan.rowGroups,
    inputs: tables.map((table) => describeTable(table, settings.key)),
    excluded: plan.excluded,
    ignored: plan.ignored,
    verification: { ...verification, target: toAbsolute(verification.target) },
    memory: {
      peakBytes: memory.peakBytes,
      predictedBytes: plan.predictedPeakBytes,
      ceilingBytes: memory.ceilingBytes,
      source: memory.source,
    },
    stages,
    settings: outputSettings(settings),
  };
}

function describeTable(table: TransferredTable, key: string): ManifestInput {
  const { action, reason, rows, rowsDropped, rowsNullFilled, duplicateRows, nullKeyRows } = table.plan;
  return {
    ...describeInput(table.file),
    path: toAbsolute(table.file.path),
    crc32c: table.crc32c,
    action,
    reason,
    rows,
    rowsDropped,
    rowsNullFilled,
    duplicateRows,
    nullKeyRows,
    pageChecksums: table.transfer === "link" ? "unchecked" : "checked",
    columns: printColumns(table, table.columns),
    ...(table.key.name !== key && { key: table.key.name }),
    ...(table.plan.leftOut.length > 0 && { leftOut: table.plan.leftOut }),
    ...(table.plan.changedTypes.length > 0 && { changedTypes: table.plan.changedTypes }),
  };
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const crc32c = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/));
/** A table name becomes part of a path below the folder of checkpoints. */
const tableName = v.pipe(v.string(), v.regex(/^[^/\\\0]+$/));

/** The entries of a manifest that this program reads; everything else may differ from version to version. */
const ManifestDocument = v.object({
  format: v.literal(1),
  pair: Pair,
  output: v.object({ size: count, crc32c }),
  rows: count,
  columns: count,
  rowGroups: v.array(count),
  inputs: v.pipe(
    v.array(
      v.object({
        table: tableName,
        path: v.string(),
        size: count,
        version: v.string(),
        crc32c,
        action: v.picklist(["splice", "align"]),
        rowsDropped: count,
        rowsNullFilled: count,
        duplicateRows: count,
        nullKeyRows: v.optional(count),
        columns: v.array(v.object({ input: v.string(), output: v.string() })),
        key: v.optional(v.string()),
      }),
    ),
    v.minLength(1),
  ),
  memory: v.object({ predictedBytes: v.number() }),
  settings: v.object({
    key: v.string(),
    targets: v.string(),
    duplicates: v.picklist(["error", "first", "last"]),
    naming: v.picklist(["prefix", "keep"]),
    rowGroupRows: v.union([v.literal("auto"), count]),
    keyCast: v.optional(v.picklist(["none", "timestamp", "timestamp-utc"])),
  }),
});

/** The manifest at `path`, if there is one that this version can read. */
export async function readManifest(store: Store, path: string): Promise<Manifest | undefined> {
  const text = await store.readText(path);
  if (text === undefined) return undefined;
  try {
    const manifest: unknown = JSON.parse(text);
    return isManifest(manifest) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a document is a manifest that this version can read. */
export function isManifest(value: unknown): value is Manifest {
  return v.is(ManifestDocument, value);
}
