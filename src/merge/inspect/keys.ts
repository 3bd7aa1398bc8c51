import type { Problem } from "../../model/failure.ts";
import type { DuplicatePolicy } from "../../model/settings.ts";
import { buildColumnFile, sameChunks } from "../../parquet/column-file.ts";
import { keepNames } from "../../parquet/footer.ts";
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
import type { InspectedTable, KeyProof } from "../table.ts";
import type { KeyedTable } from "./table.ts";

/** The targets with their decoded key, which every table is compared with. */
export interface KeyedTargets extends KeyedTable {
  readonly key: Series;
}

/** The decoded key of a table, or why it cannot be one. */
export function decodeKey({ table, keyChunks }: KeyedTable): Series | Problem {
  try {
    const key = decode(buildColumnFile(table.footer, keepNames([table.key]), keyChunks)).getColumn(table.key.name);
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
export function checkTargetsKey({ table, key }: KeyedTargets): Problem[] {
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

/** The proof of a key with the very bytes of the targets' key, and of the targets' key itself; `rows`: the targets'. */
export function proveSameBytes(rows: number): KeyProof {
  return {
    how: "same bytes",
    comparison: { equal: true, nulls: 0, repeated: 0, firstRepeated: undefined, matched: rows },
  };
}

/** Proves a table's key equal to the targets' by bytes, else decodes and compares. Every problem of the key, or the proof. */
export function proveKey(
  keyed: KeyedTable,
  targets: KeyedTargets,
  duplicates: DuplicatePolicy,
): KeyProof | readonly Problem[] {
  const { table } = keyed;
  if (sameBytes(keyed, targets)) return proveSameBytes(targets.table.footer.rows);
  const decoded = decodeKey(keyed);
  if ("what" in decoded) return [decoded];
  const key = convertKey(decoded, targets.key);
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
  const comparison = compareKeys(key, targets.key);
  const problems = checkKey(comparison, table, duplicates);
  return problems.length > 0 ? problems : { how: comparison.equal ? "same values" : "different", comparison };
}

function checkKey(comparison: KeyComparison, table: InspectedTable, duplicates: DuplicatePolicy): Problem[] {
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
function sameBytes(keyed: KeyedTable, targets: KeyedTable): boolean {
  return describeKey(keyed.table) === describeKey(targets.table) && sameChunks(keyed.keyChunks, targets.keyChunks);
}

/** All that decides how the bytes of a key chunk are read. */
function describeKey(table: InspectedTable): string {
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
