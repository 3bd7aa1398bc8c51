/** What the merge and the threads that gather for it say to each other. */
import type { RowPart } from "../../parquet/gather/rows.ts";
import type { Batch, GatheredColumn } from "./gather-batch.ts";
import type { SummedRange } from "./table-source.ts";

/** A batch to gather; batches of a thread are done in the order of their messages. */
export interface BatchOrder {
  readonly type: "batch";
  readonly batch: Batch;
  /** The open file, by its number in the process. */
  readonly descriptor: number;
  /** The rows to gather, by the number under which they were sent. */
  readonly rows: number;
}

export type ToThread =
  | BatchOrder
  /** Rows for the batches that follow, in shared memory; those under the numbers in `forget` are not needed any more. */
  | {
      readonly type: "rows";
      readonly id: number;
      readonly parts: readonly RowPart[];
      readonly forget: readonly number[];
    }
  /** The bytes of a buffer are written: it may be used again. */
  | { readonly type: "written"; readonly slot: number };

export type FromThread =
  /** The next bytes of the current batch, in buffer `slot`; `memory` where the buffer is another one than before. */
  | {
      readonly type: "piece";
      readonly slot: number;
      readonly length: number;
      readonly crc32c: number;
      readonly memory?: ArrayBufferLike;
    }
  /** All bytes of the batch were sent. */
  | { readonly type: "done"; readonly columns: readonly GatheredColumn[]; readonly sums: readonly SummedRange[] }
  | { readonly type: "damaged"; readonly column: number; readonly message: string }
  | { readonly type: "failed"; readonly error: unknown };
