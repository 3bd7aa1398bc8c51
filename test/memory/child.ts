/** A guarded child for the tests: does what the pair's name of its task says. Real memory, real ends. */
import { appendFileSync, createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Order, WorkerEvent } from "../../src/model/event.ts";
import type { WorkerReport } from "../../src/model/result.ts";
import type { Task } from "../../src/model/task.ts";

const mebibyte = 2 ** 20;
const held: unknown[] = [];
const seen: Order[] = [];
let waiting: (() => void) | undefined;

process.on("message", (order: Order) => {
  seen.push(order);
  waiting?.();
  if (order.type === "task") void acts[order.task.command === "merge" ? order.task.pair : ""]?.(order.task);
});

const acts: Readonly<Record<string, (task: Task) => Promise<void>>> = {
  /** Says what it was started with, and ends well. */
  report: async (task) => {
    note(Number(process.env.POLARS_MAX_THREADS), task.limits.baselineBytes);
    await finish();
  },
  silent: async () => process.disconnect?.(),
  exit7: async () => {
    process.stderr.write("something broke\n");
    process.exit(7);
  },
  sleep: async () => {
    note(process.pid);
    await obey();
  },
  /** Turns no event loop any more: what a long native call looks like. */
  busy: async () => {
    note(process.pid);
    await sleep(100);
    for (;;);
  },
  /** Holds more and more, and obeys when it is told to stop. */
  grow: async () => {
    while (heard("stop") === undefined) await hold(heard("slowDown") === undefined ? 8 : 1);
    await obey();
  },
  /** The same with frames of Polars. */
  growFrames: async () => {
    const { default: pl } = await import("nodejs-polars");
    while (heard("stop") === undefined) {
      const rows = heard("slowDown") === undefined ? mebibyte : mebibyte / 16;
      held.push(pl.DataFrame({ value: new Float64Array(rows).fill(held.length) }));
      await askMemory();
    }
    await obey();
  },
  /** Slows down as it is told: gives everything back, twice. */
  swing: async () => {
    for (const round of [1, 2]) {
      while (seen.filter(({ type }) => type === "slowDown").length < round) await hold(8);
      for (const block of held.splice(0)) free(block);
      await askMemory();
    }
    await finish();
  },
  /** Stops growing at the stop level but never ends. */
  stubborn: async () => {
    while (heard("stop") === undefined) await hold(2);
    await sleep(600_000);
  },
  /** Grows for ever, whatever it is told. */
  deaf: async () => {
    for (;;) await hold(8);
  },
  /** The same so fast that no sample comes between. */
  runaway: async () => {
    for (;;) held.push(fillBlock(8));
  },
  /** Writes a file as large as the ceiling allows, and reads it twice: as cache, it is no use of memory. */
  rereadFile: async (task) => {
    const path = join(mkdtempSync(join(tmpdir(), "widemerge-")), "file");
    const block = Buffer.alloc(mebibyte, 1);
    for (let size = 0; size < task.limits.ceilingBytes; size += mebibyte) appendFileSync(path, block);
    for (let round = 0; round < 3; round += 1) createReadStream(path).resume();
    await sleep(1000);
    await sleep(300);
    rmSync(dirname(path), { recursive: true });
    await finish();
  },
  /** Reaches 400 MiB for an instant. */
  spike: async () => {
    free(fillBlock(400));
    await askMemory();
    await finish();
  },
  /** Doubles a frame until Polars is refused memory. */
  polarsAbort: async () => {
    const { default: pl } = await import("nodejs-polars");
    let frame = pl.DataFrame({ value: new Float64Array(mebibyte).fill(1) });
    for (;;) frame = pl.concat([frame, frame]).withColumn(pl.col("value").mul(2).alias("value"));
  },
  /** Ordinary work of Polars that stays well below the ceiling. */
  polarsWork: async () => {
    const { default: pl } = await import("nodejs-polars");
    const columns = Array.from({ length: 10 }, (_, index) => [`c${index}`, new Float64Array(100_000).fill(index)]);
    const table = pl.DataFrame(
      Object.fromEntries([["key", Float64Array.from({ length: 100_000 }, (_, row) => row)], ...columns]),
    );
    for (let round = 0; round < 10; round += 1) {
      pl.readParquet(table.join(table, { on: "key", how: "left" }).writeParquet({ compression: "snappy" }));
      await sleep(1);
    }
    await finish();
  },
  /** Holds 400 MiB, says so, and asks for 320 MiB more in one piece. */
  bufferRefused: async () => {
    while (held.length < 50) held.push(fillBlock(8));
    note(held.length * 8);
    await sleep(50);
    held.push(fillBlock(320));
  },
  heapFull: async () => {
    const rows: number[][] = [];
    for (;;) rows.push(Array.from({ length: 1000 }, (_, index) => index + rows.length));
  },
};

function tell(event: WorkerEvent): void {
  process.send?.(event);
}

/** Two numbers for the test, in an event that has room for them. */
function note(bytesDone: number, bytesTotal = 0): void {
  tell({ type: "progress", stage: "merge", tablesDone: 0, tables: 0, bytesDone, bytesTotal });
}

async function finish(): Promise<void> {
  const report = { command: "plan", plan: {} } as unknown as WorkerReport;
  tell({ type: "report", report });
  process.disconnect?.();
}

function heard<Type extends Order["type"]>(type: Type): Extract<Order, { type: Type }> | undefined {
  return seen.find((order): order is Extract<Order, { type: Type }> => order.type === type);
}

/** Waits for the order to stop, and does it as the real child does. */
async function obey(): Promise<void> {
  while (heard("stop") === undefined) await nextOrder();
  const stop = heard("stop");
  if (stop === undefined) return;
  tell({ type: "failure", exitCode: stop.exitCode, problems: [stop.problem] });
  process.exitCode = stop.exitCode;
  process.disconnect?.();
}

/** Has the supervisor take a sample, and waits until it has acted on it: however busy the machine is, none is missed. */
async function askMemory(): Promise<void> {
  const answers = countAnswers();
  tell({ type: "askMemory" });
  while (countAnswers() === answers) await nextOrder();
}

function countAnswers(): number {
  return seen.filter(({ type }) => type === "memory").length;
}

function nextOrder(): Promise<void> {
  return new Promise((resolve) => {
    waiting = resolve;
  });
}

async function hold(mebibytes: number): Promise<void> {
  held.push(fillBlock(mebibytes));
  await askMemory();
}

function fillBlock(mebibytes: number): ArrayBuffer {
  const block = new ArrayBuffer(mebibytes * mebibyte);
  new Uint8Array(block).fill(1);
  return block;
}

/** Gives the memory back now, not when the collector comes by. */
function free(block: unknown): void {
  if (block instanceof ArrayBuffer) block.transfer(0);
}
