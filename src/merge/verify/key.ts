import type { KeyCast } from "../../model/settings.ts";
import { bytesOf } from "../../parquet/column-file.ts";
import { PageError } from "../../parquet/encoding/encoding.ts";
import type { Column, ColumnChunk, Footer } from "../../parquet/footer.ts";
import { type KeyType, keyTypeOf, whyNotComparable } from "../../parquet/key/key-type.ts";
import { KeyDecoder, type KeyVector } from "../../parquet/key/key-vector.ts";
import type { OpenFile } from "../../store/store.ts";
import { readChunks } from "../ranges.ts";

/** Why a key cannot be used; `damaged`: because of its pages, not because of its type. */
export interface UnusableKey {
  readonly found: string;
  readonly damaged: boolean;
}

/** Decoding is synchronous, so all files can share its memory. */
const decoder = new KeyDecoder();

/** The key of a file in terms of `targets` (its own where undefined), or why it cannot be used. */
export async function readKey(
  opened: OpenFile,
  footer: Footer,
  column: Column,
  cast: KeyCast,
  targets?: KeyType,
): Promise<KeyVector | UnusableKey> {
  const own = column.elements[0] === undefined ? undefined : keyTypeOf(column.elements[0], cast);
  const type = targets !== undefined && footer.rows === 0 ? targets : own;
  if (type === undefined) return { found: `key ${column.name} has a type that cannot be a key`, damaged: false };
  const why = targets === undefined ? undefined : whyNotComparable(type, targets);
  if (why !== undefined) return { found: `key ${column.name} has ${why}`, damaged: false };
  const pieces = await readChunks(opened, footer, [column]);
  try {
    const read = (chunk: ColumnChunk) => bytesOf(pieces, chunk);
    return decoder.decode({ footer, column, type, bytesOf: read }, targets ?? type);
  } catch (error) {
    if (error instanceof PageError)
      return { found: `column ${column.name} cannot be decoded: ${error.message}`, damaged: true };
    throw error;
  }
}
