/**
 * A thread that transfers tables. Of a batch of columns to gather it reads the chunks from the open file and hands encoded
 * bytes back; a table to copy it copies from file to file.
 */
import { parentPort } from "node:worker_threads";
import { ReusableBuffer } from "../../parquet/buffer-pool.ts";
import { ColumnGatherer } from "../../parquet/gather/column.ts";
import type { RowPart } from "../../parquet/gather/rows.ts";
import { ChunkBuffer } from "../../parquet/page/chunk-buffer.ts";
import { DamagedPage } from "../../parquet/pages.ts";
import { crc32c } from "../../store/crc32c.ts";
import { readDescriptor } from "../../store/local/file.ts";
import { copyBlockBytes, pieceBuffers } from "../budget.ts";
import { ChunkSink } from "./chunk-sink.ts";
import { copyTable } from "./copy-table.ts";
import { chunksOfBatch, DamagedColumn, type GatherTools, gatherBatch } from "./gather-batch.ts";
import { loadChunks, readRange, type SummedRange } from "./table-source.ts";
import {
  type BatchOrder,
  type CopyOrder,
  type FromThread,
  type Order,
  type Result,
  type ToThread,
  toSent,
} from "./thread-protocol.ts";

/** The other end of the channel; this module runs in a thread alone. */
const main = parentPort ?? fail();

function fail(): never {
  throw new Error("not a thread");
}

function send(message: FromThread): void {
  main.postMessage(message);
}

const shared = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));
const buffers = Array.from({ length: pieceBuffers }, () => new ChunkBuffer(shared));
/** The memory of each buffer as the other thread knows it, and what resolves when it has been written. */
const known: (ArrayBufferLike | undefined)[] = buffers.map(() => undefined);
const written: (() => void)[] = buffers.map(() => () => undefined);

const sink = new ChunkSink(
  {
    append: (bytes) =>
      new Promise((resolve) => {
        const slot = buffers.findIndex((buffer) => buffer.bytes.buffer === bytes.buffer);
        const memory = known[slot] === bytes.buffer ? undefined : bytes.buffer;
        known[slot] = bytes.buffer;
        written[slot] = resolve;
        send({ type: "piece", slot, length: bytes.length, crc32c: crc32c(bytes), ...(memory && { memory }) });
      }),
    throwIfFailed: () => undefined,
  },
  buffers,
);

const gatherer = new ColumnGatherer();
const input = new ReusableBuffer();
const rows = new Map<number, readonly RowPart[]>();
let block: Uint8Array | undefined;
/** Orders are carried out one after the other. */
let last: Promise<void> = Promise.resolve();

main.on("message", (message: ToThread) => {
  if (message.type === "written") written[message.slot]?.();
  if (message.type === "rows") {
    rows.set(message.id, message.parts);
    for (const id of message.forget) rows.delete(id);
  }
  if (message.type === "batch" || message.type === "copy") last = last.then(() => carryOut(message));
});

async function carryOut(order: Order): Promise<void> {
  try {
    send(order.type === "batch" ? await gather(order) : copy(order));
  } catch (error) {
    send({ type: "failed", error: toSent(error) });
  }
}

async function gather(order: BatchOrder): Promise<Result> {
  const parts = rows.get(order.rows);
  if (parts === undefined) throw new Error(`no rows ${order.rows}`);
  const sums: SummedRange[] = [];
  try {
    const tools = { gatherer, sink, read: await openChunks(order, sums) };
    return { type: "gathered", columns: await gatherBatch(order.batch, parts, tools), sums };
  } catch (error) {
    if (error instanceof DamagedColumn) return { type: "damaged", place: error.column, message: error.message };
    throw error;
  }
}

function copy(order: CopyOrder): Result {
  block ??= new Uint8Array(copyBlockBytes);
  try {
    return { type: "copied", sums: copyTable(order.copy, block) };
  } catch (error) {
    if (error instanceof DamagedPage) return { type: "damaged", place: error.chunk, message: error.message };
    throw error;
  }
}

async function openChunks({ batch, descriptor }: BatchOrder, sums: SummedRange[]): Promise<GatherTools["read"]> {
  const file = {
    read: async (start: number, length: number, into = new Uint8Array(length)) =>
      readDescriptor(descriptor, start, length, into),
  };
  if (batch.atOnce) return loadChunks(file, chunksOfBatch(batch), input, sums);
  return ({ start, size }) => {
    input.reset();
    return readRange(file, { start, end: start + size }, input, sums);
  };
}
