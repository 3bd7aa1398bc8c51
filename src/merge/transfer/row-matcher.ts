import { createHash } from "node:crypto";
import type { DuplicatePolicy } from "../../model/settings.ts";
import { bytesOf, type LoadedRange } from "../../parquet/column-file.ts";
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

  /** The table's rows for each row group of the output; `keyChunks`: the encoded key, not needed where it equals the targets'. */
  match(table: PlannedTable, keyChunks: readonly LoadedRange[]): readonly RowPart[] {
    const digest = table.plan.sameKeys ? sameKeys : digestKey(table, keyChunks);
    const known = this.#kept.get(digest);
    if (known !== undefined) return known;
    const parts = cutRuns(this.#findRows(table, keyChunks), this.#layout);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= keptMatches && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(digest, parts);
    return parts;
  }

  #findRows({ footer, key: column, keyCast, plan }: PlannedTable, keyChunks: readonly LoadedRange[]): RowRuns {
    const { targetsKey, duplicates } = this.#keys;
    if (plan.sameKeys) return identityRuns(targetsKey.rows);
    const [element] = column.elements;
    const own = element === undefined || footer.rows === 0 ? undefined : keyTypeOf(element, keyCast);
    const bytes = (chunk: ColumnChunk) => bytesOf(keyChunks, chunk);
    const keys = this.#decoder.decode(
      { footer, column, type: own ?? targetsKey.type, bytesOf: bytes },
      targetsKey.type,
    );
    return matchKeys(keys, targetsKey, duplicates).runs;
  }
}

/** The digest of all tables whose keys equal the targets'. */
const sameKeys = "same";

/** The same for keys of the same bytes, read in the same way. */
function digestKey(table: PlannedTable, keyChunks: readonly LoadedRange[]): string {
  const hash = createHash("sha256").update(describeKey(table));
  for (const { bytes } of keyChunks) hash.update(bytes);
  return hash.digest("hex");
}
