/** What the merge and the threads that gather and copy for it say to each other. */
import type { ExitCode } from "../../model/exit-code.ts";
import { Failure, type Problem } from "../../model/failure.ts";
import type { RowPart } from "../../parquet/gather/rows.ts";
import type { Copy, CopySums } from "./copy-table.ts";
import type { Batch, GatheredColumn } from "./gather-batch.ts";
import type { SummedRange } from "./table-source.ts";

/** A table to copy. */
export interface CopyOrder {
  readonly type: "copy";
  readonly copy: Copy;
}

/** A batch to gather. */
export interface BatchOrder {
  readonly type: "batch";
  readonly batch: Batch;
  /** The open file, by its number in the process. */
  readonly descriptor: number;
  /** The rows to gather, by the number under which they were sent. */
  readonly rows: number;
}

/** Orders of a thread are carried out in the order of their messages. */
export type Order = BatchOrder | CopyOrder;

export type ToThread =
  | Order
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
  | Result
  | { readonly type: "failed"; readonly error: SentError };

/** What came of an order. */
export type Result =
  /** All bytes of the batch were sent. */
  | GatheredResult
  /** The table was copied. */
  | CopiedResult
  /** A page is damaged, of a column of the batch or of a chunk of the table, by its place there. */
  | { readonly type: "damaged"; readonly place: number; readonly message: string };

export interface GatheredResult {
  readonly type: "gathered";
  readonly columns: readonly GatheredColumn[];
  readonly sums: readonly SummedRange[];
}

export interface CopiedResult {
  readonly type: "copied";
  readonly sums: CopySums;
}

/** An error as it is sent: a message between threads would leave out its code and its class. */
export interface SentError {
  readonly message: string;
  readonly stack: string | undefined;
  /** That of an error of the file system, such as ENOSPC. */
  readonly code: string | undefined;
  readonly failure: { readonly exitCode: ExitCode; readonly problems: readonly Problem[] } | undefined;
}

export function toSent(thrown: unknown): SentError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { message, stack } = error;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const failure = error instanceof Failure ? { exitCode: error.exitCode, problems: error.problems } : undefined;
  return { message, stack, code, failure };
}

/** The error that was sent. */
export function fromSent({ message, stack, code, failure }: SentError): Error {
  if (failure !== undefined) return new Failure(failure.exitCode, failure.problems);
  const error = new Error(message);
  return Object.assign(error, { ...(stack && { stack }), ...(code && { code }) });
}
