/** Manifests as they are read: those of earlier versions have fewer entries. */
import * as v from "valibot";
import { Pair } from "./names.ts";
import type { Manifest } from "./result.ts";

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
  excluded: v.optional(v.array(v.string())),
  ignored: v.optional(v.array(v.string())),
  memory: v.object({ predictedBytes: v.pipe(v.number(), v.minValue(0)) }),
  settings: v.object({
    key: v.string(),
    targets: v.string(),
    duplicates: v.picklist(["error", "first", "last"]),
    naming: v.picklist(["prefix", "keep"]),
    rowGroupRows: v.union([v.literal("auto"), count]),
    separator: v.optional(v.string()),
    keepIndex: v.optional(v.boolean()),
    rename: v.optional(v.record(v.string(), v.string())),
    keyCast: v.optional(v.picklist(["none", "timestamp", "timestamp-utc"])),
  }),
});

/** The manifest of a text; undefined where it is none that this version can read. */
export function decodeManifest(text: string): Manifest | undefined {
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
