import type { DuplicatePolicy } from "../../model/settings.ts";
import { bytesOf, type LoadedRange } from "../../parquet/column-file.ts";
import type { ColumnChunk } from "../../parquet/footer.ts";
import { cutRuns, identityRuns, type RowPart, type RowRuns } from "../../parquet/gather/rows.ts";
import { keyTypeOf } from "../../parquet/key/key-type.ts";
import { KeyDecoder, type KeyVector } from "../../parquet/key/key-vector.ts";
import { matchKeys } from "../../parquet/key/match.ts";
import type { Layout } from "../plan/layout.ts";
import type { KeyProof, PlannedTable } from "../table.ts";

/** What aligning needs beyond the plan. */
export interface TargetKeys {
  readonly targetsKey: KeyVector;
  readonly duplicates: DuplicatePolicy;
}

/** Matches that are kept for the next tables; each takes up to 8 bytes a row. */
const keptMatches = 4;

/** Finds the rows of tables for the output's row groups: once for all tables in a row that share a match. */
export class RowMatcher {
  readonly #keys: TargetKeys;
  readonly #layout: Layout;
  readonly #decoder = new KeyDecoder();
  /** By their proof, which tables with the same keys share. */
  readonly #kept = new Map<KeyProof | "same keys", readonly RowPart[]>();

  constructor(keys: TargetKeys, layout: Layout) {
    this.#keys = keys;
    this.#layout = layout;
  }

  /** The table's rows for each row group of the output; `keyChunks`: the encoded key, where its rows are not known. */
  match(table: PlannedTable, keyChunks: readonly LoadedRange[]): readonly RowPart[] {
    const same = table.plan.sameKeys ? "same keys" : table.proof;
    const kept = this.#kept.get(same);
    if (kept !== undefined) return kept;
    const parts = cutRuns(this.#findRows(table, keyChunks), this.#layout);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= keptMatches && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(same, parts);
    return parts;
  }

  #findRows(table: PlannedTable, keyChunks: readonly LoadedRange[]): RowRuns {
    const { targetsKey, duplicates } = this.#keys;
    const { footer, key: column, keyCast, plan, proof } = table;
    if (plan.sameKeys) return identityRuns(targetsKey.rows);
    if (proof.runs !== undefined) return proof.runs;
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
