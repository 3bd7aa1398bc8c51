import { createHash } from "node:crypto";
import type { DuplicatePolicy } from "../../model/settings.ts";
import type { ColumnChunk } from "../../parquet/footer.ts";
import { cutRuns, identityRuns, type RowPart, type RowRuns } from "../../parquet/gather/rows.ts";
import { keyTypeOf } from "../../parquet/key/key-type.ts";
import { KeyDecoder, type KeyVector } from "../../parquet/key/key-vector.ts";
import { matchKeys } from "../../parquet/key/match.ts";
import { describeKey } from "../inspect/keys.ts";
import type { Layout } from "../plan/layout.ts";
import type { PlannedTable } from "../table.ts";

/** What aligning needs beyond the plan. */
export interface TargetKeys {
  readonly targetsKey: KeyVector;
  readonly duplicates: DuplicatePolicy;
}

/** Matches that are kept for the next tables; each takes up to 8 bytes a row. */
const keptMatches = 4;

/** Finds the rows of tables for the output's row groups: once for all tables in a row whose keys have the same bytes. */
export class RowMatcher {
  readonly #keys: TargetKeys;
  readonly #layout: Layout;
  readonly #decoder = new KeyDecoder();
  readonly #kept = new Map<string, readonly RowPart[]>();

  constructor(keys: TargetKeys, layout: Layout) {
    this.#keys = keys;
    this.#layout = layout;
  }

  /** The table's rows for each row group of the output; `bytes`: the whole file. */
  match(table: PlannedTable, bytes: Uint8Array): readonly RowPart[] {
    const digest = digestKey(table, bytes);
    const known = this.#kept.get(digest);
    if (known !== undefined) return known;
    const parts = cutRuns(this.#findRows(table, bytes), this.#layout);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= keptMatches && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(digest, parts);
    return parts;
  }

  #findRows({ footer, key: column, plan }: PlannedTable, bytes: Uint8Array): RowRuns {
    const { targetsKey, duplicates } = this.#keys;
    if (plan.sameKeys) return identityRuns(targetsKey.rows);
    const [element] = column.elements;
    const own = element === undefined || footer.rows === 0 ? undefined : keyTypeOf(element);
    const bytesOf = ({ start, size }: ColumnChunk) => bytes.subarray(start, start + size);
    const keys = this.#decoder.decode({ footer, column, type: own ?? targetsKey.type, bytesOf }, targetsKey.type);
    return matchKeys(keys, targetsKey, duplicates).runs;
  }
}

/** The same for keys of the same bytes, read in the same way. */
function digestKey(table: PlannedTable, bytes: Uint8Array): string {
  const hash = createHash("sha256").update(describeKey(table));
  for (const group of table.footer.rowGroups) {
    const chunk = group.chunks[table.key.firstLeaf];
    if (chunk !== undefined && group.rows > 0) hash.update(bytes.subarray(chunk.start, chunk.start + chunk.size));
  }
  return hash.digest("hex");
}
