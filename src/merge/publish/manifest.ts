import { outputSettings } from "../../model/comparison.ts";
import { decodeManifest } from "../../model/manifest.ts";
import type { MemoryRecord } from "../../model/measurement.ts";
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

/** The manifest at `path`, if there is one that this version can read. */
export async function readManifest(store: Store, path: string): Promise<Manifest | undefined> {
  const text = await store.readText(path);
  return text === undefined ? undefined : decodeManifest(text);
}
