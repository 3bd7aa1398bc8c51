import type { Problem } from "../../model/failure.ts";
import type { DuplicatePolicy } from "../../model/settings.ts";
import { wrapColumns } from "../../parquet/column-file.ts";
import {
  canBeKey,
  compareKeys,
  convertKey,
  countRepeated,
  decode,
  type KeyComparison,
  type Series,
  typeName,
} from "../../parquet/polars.ts";
import type { Inspected, InspectedKey } from "./table.ts";

/** How a table's key relates to the targets'. */
export interface KeyProof {
  readonly how: "same bytes" | "same values" | "different";
  readonly comparison: KeyComparison;
}

/** A table and how its key relates to the targets' (the targets' own: equal). */
export interface ProvenTable {
  readonly table: Inspected;
  readonly proof: KeyProof;
}

/** The decoded key of a table, or why it cannot be one. */
export function decodeKey({ table, keyPieces }: InspectedKey): Series | Problem {
  try {
    const key = decode(wrapColumns(table.footer, [table.key], keyPieces)).getColumn(table.key.name);
    if (canBeKey(typeName(key))) return key;
    return {
      what: `key column ${table.key.name} has a type that cannot be a key`,
      found: typeName(key),
      fix: "use a timestamp, integer, date or string",
      table: table.file.table,
    };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return {
      what: `key column ${table.key.name} cannot be decoded`,
      found,
      fix: "extract this table again",
      table: table.file.table,
    };
  }
}

/** Problems of the targets' own key: they decide rows and order, so nothing about it is negotiable. */
export function checkTargetsKey(table: Inspected, key: Series): Problem[] {
  const { nulls, repeated, firstRepeated } = countRepeated(key);
  const name = table.key.name;
  return [
    ...(nulls > 0
      ? [
          {
            what: `null keys in ${name} of the targets`,
            found: `${nulls} nulls`,
            fix: "drop these rows from the targets",
            table: table.file.table,
          },
        ]
      : []),
    ...(repeated > 0
      ? [
          {
            what: `duplicate keys in ${name} of the targets`,
            found: `${repeated} rows repeat a key, first ${firstRepeated}`,
            fix: "make the targets' keys unique: they decide the rows of the output",
            table: table.file.table,
          },
        ]
      : []),
  ];
}

/** Proves a table's key equal to the targets' by bytes, else decodes and compares. Every problem of the key, or the proof. */
export function proveKey(
  entry: InspectedKey,
  targets: InspectedKey,
  targetsKey: Series,
  duplicates: DuplicatePolicy,
): KeyProof | readonly Problem[] {
  const { table } = entry;
  if (sameBytes(entry, targets)) {
    const comparison = {
      equal: true,
      nulls: 0,
      repeated: 0,
      firstRepeated: undefined,
      matched: targets.table.footer.rows,
    };
    return { how: "same bytes", comparison };
  }
  const decoded = decodeKey(entry);
  if ("what" in decoded) return [decoded];
  const key = convertKey(decoded, targetsKey);
  const name = table.key.name;
  if (typeof key === "string")
    return [
      {
        what: `key column ${name} does not fit the targets'`,
        found: key,
        fix: "extract the table with the targets' key type",
        table: table.file.table,
      },
    ];
  const comparison = compareKeys(key, targetsKey);
  const problems = checkKey(comparison, table, duplicates);
  return problems.length > 0 ? problems : { how: comparison.equal ? "same values" : "different", comparison };
}

function checkKey(comparison: KeyComparison, table: Inspected, duplicates: DuplicatePolicy): Problem[] {
  const { nulls, repeated, firstRepeated } = comparison;
  const name = table.key.name;
  return [
    ...(nulls > 0
      ? [
          {
            what: `null keys in ${name}`,
            found: `${nulls} nulls`,
            fix: "drop these rows, or extract the table again",
            table: table.file.table,
          },
        ]
      : []),
    ...(repeated > 0 && nulls === 0 && duplicates === "error"
      ? [
          {
            what: `duplicate keys in ${name}`,
            found: `${repeated} rows repeat a key, first ${firstRepeated}`,
            fix: "extract the table again, or choose --duplicates first or last",
            table: table.file.table,
          },
        ]
      : []),
  ];
}

/** The same encoded bytes under the same type and encoding are the same values. */
function sameBytes(table: InspectedKey, targets: InspectedKey): boolean {
  if (describeKey(table.table) !== describeKey(targets.table) || table.keyPieces.length !== targets.keyPieces.length)
    return false;
  return table.keyPieces.every((piece, index) => {
    const other = targets.keyPieces[index];
    return other !== undefined && Buffer.compare(piece.bytes, other.bytes) === 0;
  });
}

/** All that decides how the bytes of a key chunk are read. */
function describeKey(table: Inspected): string {
  const element = table.key.elements[0];
  const groups = table.footer.rowGroups.filter((group) => group.rows > 0);
  const chunks = groups.map((group) => group.chunks[table.key.firstLeaf]);
  const encoding = chunks.map((chunk) => [chunk?.codec, chunk?.values, chunk?.size]);
  const json = {
    type: element?.type,
    length: element?.typeLength,
    repetition: element?.repetition,
    converted: element?.convertedType,
    logical: element?.logicalType,
    encoding,
  };
  return JSON.stringify(json, (_, value) => (typeof value === "bigint" ? String(value) : value));
}
