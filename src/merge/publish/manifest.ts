import { outputSettings } from "../../model/comparison.ts";
import type { MemoryRecord } from "../../model/event.ts";
import { nameOutputs } from "../../model/output-names.ts";
import type { Plan } from "../../model/plan.ts";
import type { Manifest, StageTime, Verification } from "../../model/result.ts";
import { version } from "../../model/version.ts";
import type { Written } from "../../store/store.ts";
import { type Job, outputPaths } from "../job.ts";

/** What the manifest is made of. */
export interface ManifestParts {
  readonly plan: Plan;
  readonly written: Written;
  /** CRC32C of every input, in plan order. */
  readonly checksums: readonly string[];
  readonly verification: Verification;
  readonly memory: MemoryRecord;
  readonly stages: readonly StageTime[];
}

/** The provenance of an output: pure. */
export function makeManifest(job: Job, parts: ManifestParts): Manifest {
  const { plan, written, checksums, verification, memory, stages } = parts;
  return {
    format: 1,
    widemerge: version,
    pair: plan.pair,
    digest: plan.digest,
    output: { name: nameOutputs(plan.pair).output, ...written },
    rows: plan.rows,
    columns: plan.columns,
    rowGroups: plan.rowGroups,
    inputs: plan.tables.map(({ file, columns, bytes, decodedBytes, ...table }, index) => ({
      ...file,
      crc32c: checksums[index] ?? "",
      action: table.action,
      reason: table.reason,
      rows: table.rows,
      rowsDropped: table.rowsDropped,
      rowsNullFilled: table.rowsNullFilled,
      duplicateRows: table.duplicateRows,
      columns,
    })),
    verification,
    memory: {
      peakBytes: memory.peakBytes,
      predictedBytes: plan.predictedPeakBytes,
      ceilingBytes: memory.ceilingBytes,
      source: memory.source,
    },
    stages,
    settings: outputSettings(job.settings),
  };
}

/** The manifest of a pair, if there is one that this version can read. */
export async function readManifest(job: Job): Promise<Manifest | undefined> {
  const text = await job.store.readText(outputPaths(job).manifest);
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
