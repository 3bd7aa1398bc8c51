import { outputSettings } from "../../model/comparison.ts";
import type { MemoryRecord } from "../../model/event.ts";
import { nameOutputs } from "../../model/output-names.ts";
import type { Plan } from "../../model/plan.ts";
import type { Manifest, ManifestInput, StageTime, Verification } from "../../model/result.ts";
import type { OutputSettings } from "../../model/settings.ts";
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
    inputs: tables.map(describeInput),
    verification,
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

function describeInput(table: TransferredTable): ManifestInput {
  const { action, reason, rows, rowsDropped, rowsNullFilled, duplicateRows } = table.plan;
  return {
    ...table.file,
    crc32c: table.crc32c,
    action,
    reason,
    rows,
    rowsDropped,
    rowsNullFilled,
    duplicateRows,
    columns: printColumns(table, table.columns),
  };
}

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

function isManifest(value: unknown): value is Manifest {
  return (
    typeof value === "object" &&
    value !== null &&
    "format" in value &&
    value.format === 1 &&
    "inputs" in value &&
    Array.isArray(value.inputs)
  );
}
