import { createHash } from "node:crypto";
import type { Problem } from "../../model/failure.ts";
import type { MergeSettings } from "../../model/settings.ts";
import { quoteForShell } from "../../model/shell.ts";
import { formatNumber } from "../../model/units.ts";
import { bytesOf, sameChunks } from "../../parquet/column-file.ts";
import { describeType } from "../../parquet/column-type.ts";
import { PageError } from "../../parquet/encoding/encoding.ts";
import { type KeyType, keyTypeOf, whyNotComparable } from "../../parquet/key/key-type.ts";
import { formatKey, KeyDecoder, type KeyVector, vectorSize } from "../../parquet/key/key-vector.ts";
import { findRepeated, type KeyMatch, matchKeys } from "../../parquet/key/match.ts";
import { TimestampTextError } from "../../parquet/key/timestamp-text.ts";
import { keptRunBytes } from "../budget.ts";
import type { InspectedTable, KeyProof } from "../table.ts";
import type { KeyedTable } from "./table.ts";

/** What decides whether a table's key can be merged. */
export type KeySettings = Pick<
  MergeSettings,
  "key" | "keyCast" | "rename" | "folders" | "duplicates" | "nullKeys" | "minMatch"
>;

/** The targets with their decoded key, which every table is compared with. */
export interface KeyedTargets extends KeyedTable {
  readonly key: KeyVector;
}

/** The decoded key of the targets, or why it cannot be one. */
export function decodeTargetsKey(keyed: KeyedTable): KeyVector | Problem {
  const type = typeOfKey(keyed.table);
  return "what" in type ? type : decodeKey(keyed, type, type);
}

/** What the key of a table means, or why it cannot be a key. */
function typeOfKey({ key, keyCast, file }: InspectedTable): KeyType | Problem {
  const type = key.elements[0] === undefined ? undefined : keyTypeOf(key.elements[0], keyCast);
  if (type !== undefined) return type;
  return {
    what: `key column ${key.name} has a type that cannot be a key`,
    found: describeType(key),
    fix: "use a timestamp, integer, date, string or binary",
    table: file.table,
  };
}

/** Decoding is synchronous, so all tables can share its memory. */
const decoder = new KeyDecoder();

/** The key of a table in the targets' terms, or why it cannot be read. */
export function decodeKey({ table, keyChunks }: KeyedTable, type: KeyType, targets: KeyType): KeyVector | Problem {
  const { footer, key, file } = table;
  try {
    return decoder.decode({ footer, column: key, type, bytesOf: (chunk) => bytesOf(keyChunks, chunk) }, targets);
  } catch (error) {
    if (!(error instanceof PageError)) throw error;
    if (error instanceof TimestampTextError)
      return {
        what: `key column ${key.name} has text that --key-cast cannot read`,
        found: error.message,
        fix: "write every key as YYYY-MM-DD HH:MM:SS[.fraction], with an offset only for --key-cast timestamp-utc",
        table: file.table,
      };
    return {
      what: `key column ${key.name} cannot be decoded`,
      found: error.message,
      fix: "extract this table again",
      table: file.table,
    };
  }
}

/** Problems of the targets' key. It decides rows and order of the output, so no policy allows nulls or duplicates in it. */
export function checkTargetsKey({ table, key }: KeyedTargets): Problem[] {
  const { nulls, repeated, firstRepeated } = findRepeated(key);
  const name = table.key.name;
  return [
    ...(nulls > 0
      ? [
          {
            what: `null keys in ${name} of the targets`,
            found: formatNumber(nulls, "null"),
            fix: "drop these rows from the targets",
            table: table.file.table,
          },
        ]
      : []),
    ...(repeated > 0
      ? [
          {
            what: `duplicate keys in ${name} of the targets`,
            found: describeRepeated(key, repeated, firstRepeated),
            fix: "make the targets' keys unique: they decide the rows of the output",
            table: table.file.table,
          },
        ]
      : []),
  ];
}

/** The proof of a key with the very bytes of the targets' key, and of the targets' key itself. */
export function proveSameBytes(targets: KeyVector): KeyProof {
  return {
    how: "same bytes",
    comparison: { equal: true, ordered: true, nulls: 0, repeated: 0, matched: targets.rows },
    keyBytes: vectorSize(targets),
  };
}

/** Proves the keys of tables, each distinct key once: tables whose keys have the same bytes share the proof. */
export class KeyProver {
  readonly #targets: KeyedTargets;
  readonly #settings: KeySettings;
  readonly #proofs = new Map<string, KeyProof>();
  /** Bytes of matches that may still be kept. */
  #room: number;

  constructor(targets: KeyedTargets, settings: KeySettings, room = keptRunBytes) {
    this.#targets = targets;
    this.#settings = settings;
    this.#room = room;
  }

  /** Compares a table's key with the targets': the encoded bytes first, the values if those differ. The proof, or all problems. */
  prove(keyed: KeyedTable): KeyProof | readonly Problem[] {
    if (sameBytes(keyed, this.#targets)) return proveSameBytes(this.#targets.key);
    const digest = digestKey(keyed);
    const known = this.#proofs.get(digest);
    if (known !== undefined) return known;
    const found = compareKeys(keyed, this.#targets, this.#settings);
    if (!("how" in found)) return found;
    const proof = this.#keepRuns(found);
    this.#proofs.set(digest, proof);
    return proof;
  }

  /** Without the match where it is not needed any more, or where too many are kept. */
  #keepRuns({ runs, ...proof }: KeyProof): KeyProof {
    const bytes = runs?.pairs.byteLength ?? 0;
    if (runs === undefined || proof.comparison.equal || bytes > this.#room) return proof;
    this.#room -= bytes;
    return { ...proof, runs };
  }
}

/** Digest of a key's bytes and of everything that decides how they are decoded. */
function digestKey({ table, keyChunks }: KeyedTable): string {
  const hash = createHash("sha256").update(describeKey(table));
  for (const { bytes } of keyChunks) hash.update(bytes);
  return hash.digest("hex");
}

function compareKeys(keyed: KeyedTable, targets: KeyedTargets, settings: KeySettings): KeyProof | readonly Problem[] {
  const { table } = keyed;
  // A table without rows has no key of a wrong type: writers state any type for a column that holds nothing.
  const type = table.footer.rows === 0 ? targets.key.type : typeOfKey(table);
  if ("what" in type) return [type];
  const why = whyNotComparable(type, targets.key.type);
  if (why !== undefined)
    return [
      {
        what: `key column ${table.key.name} does not fit the targets'`,
        found: why,
        fix: adviseOnType(type, targets.key.type),
        table: table.file.table,
      },
    ];
  const key = decodeKey(keyed, type, targets.key.type);
  if ("what" in key) return [key];
  const match = matchKeys(key, targets.key, settings.duplicates);
  const problems = checkKey(match, key, table, settings);
  if (problems.length > 0) return problems;
  const { equal, ordered, nulls, repeated, matched, runs } = match;
  const comparison = { equal, ordered, nulls, repeated, matched };
  return { how: equal ? "same values" : "different", comparison, keyBytes: vectorSize(key), runs };
}

/** How a key could be made one of the targets' type. */
function adviseOnType(type: KeyType, targets: KeyType): string {
  const extract = "extract the table with the targets' key type";
  const families = [type.family, targets.family];
  const zoned = (type.family === "instant" && type.zoned) || (targets.family === "instant" && targets.zoned);
  if (!families.includes("instant") || !(families.includes("text") || type.family === targets.family)) return extract;
  const cast = zoned ? "timestamp-utc" : "timestamp";
  const effect = families.includes("text") ? "read text as timestamps" : "read timestamps without a time zone as UTC";
  return `${extract}, or ${effect} with --key-cast ${cast}`;
}

function checkKey(
  match: KeyMatch,
  key: KeyVector,
  { key: { name }, file }: InspectedTable,
  settings: KeySettings,
): Problem[] {
  const { nulls, repeated, firstRepeated, matched, runs } = match;
  const { table } = file;
  const refusesNulls = nulls > 0 && settings.nullKeys === "error";
  if (refusesNulls)
    return [
      {
        what: `null keys in ${name}`,
        found: formatNumber(nulls, "null"),
        fix: "drop these rows, extract the table again, or choose --null-keys drop",
        table,
      },
    ];
  if (repeated > 0 && settings.duplicates === "error")
    return [
      {
        what: `duplicate keys in ${name}`,
        found: describeRepeated(key, repeated, firstRepeated),
        fix: "extract the table again, or choose --duplicates first or last",
        table,
      },
    ];
  if (matched > 0 || runs.rows === 0 || settings.minMatch === 0) return [];
  return [
    {
      what: `no key in ${name} is one of the targets'`,
      found:
        key.rows === 0 ? "no rows" : `${formatNumber(key.rows, "row")}, first key ${formatKey(key, firstKey(key))}`,
      fix: `check that the table belongs to this pair, leave it out with --exclude-tables ${quoteForShell(table)}, or fill its columns with null with --min-match 0`,
      table,
    },
  ];
}

function describeRepeated(key: KeyVector, repeated: number, first: number | undefined): string {
  const example = first === undefined ? "" : `, first key ${formatKey(key, first)}`;
  return `${formatNumber(repeated, "repeated row")}${example}`;
}

/** The first row that has a key. */
function firstKey({ skip }: KeyVector): number {
  return Math.max(0, skip?.indexOf(0) ?? 0);
}

/** Whether the encoded bytes, their type and their encoding are the same, which makes the values the same. */
function sameBytes(keyed: KeyedTable, targets: KeyedTable): boolean {
  return describeKey(keyed.table) === describeKey(targets.table) && sameChunks(keyed.keyChunks, targets.keyChunks);
}

/** Everything that decides how the bytes of a key chunk are decoded. */
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
    cast: table.keyCast,
  };
  return JSON.stringify(json, (_, value) => (typeof value === "bigint" ? String(value) : value));
}
