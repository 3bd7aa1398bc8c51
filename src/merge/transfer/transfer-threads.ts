/**
 * Threads that transfer tables side by side: they gather batches of columns, and copy tables. This thread reads no column: it
 * gives out orders and enters what comes back in the order in which they were given, so the output is that of one thread.
 */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { RowPart } from "../../parquet/gather/rows.ts";
import { DamagedPage } from "../../parquet/pages.ts";
import type { Port } from "../context.ts";
import type { Copy, CopySums } from "./copy-table.ts";
import { type Batch, DamagedColumn, type GatheredColumn } from "./gather-batch.ts";
import type { Output } from "./output.ts";
import type { SummedRange } from "./table-source.ts";
import { type FromThread, fromSent, type Order, type Result, type ToThread } from "./thread-protocol.ts";

/** Orders that a thread has been given: the current one, and the next one. */
const givenOrders = 2;
/** Row vectors that a thread keeps: those of the orders that it was given, and of some before, which tables may share. */
const keptRows = givenOrders + 2;
/** A thread compiles a dozen small modules; more address space for code would only count against the limit of the process. */
const resourceLimits = { codeRangeSizeMb: 8, maxYoungGenerationSizeMb: 6 };

/** What came of a batch. */
export interface GatheredBatch {
  readonly columns: readonly GatheredColumn[];
  /** Where in the output its first byte is. */
  readonly start: number;
  /** The ranges of the file that were read. */
  readonly sums: readonly SummedRange[];
}

/** An order that was given to a thread. */
interface Job {
  readonly order: Order;
  /** Receives the result, order by order. @throws what the result says is damaged */
  readonly onDone: (result: Result, start: number) => void;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
  /** Pieces that wait until those of the orders before have been appended. */
  readonly held: (() => void)[];
  /** Where in the output its first piece is. */
  start: number;
  result: Result | undefined;
}

export class TransferThreads {
  readonly #output: Output;
  readonly #port: Pick<Port, "signal" | "slowed">;
  #threads: readonly TransferThread[];
  /** Jobs whose columns are not all appended yet, in order. */
  readonly #jobs: Job[] = [];
  #wake: () => void = () => undefined;
  #failure: { readonly cause: unknown } | undefined;
  readonly #abort = (): void => this.fail(this.#port.signal.reason);

  constructor(count: number, output: Output, port: Pick<Port, "signal" | "slowed">) {
    this.#output = output;
    this.#port = port;
    this.#threads = Array.from({ length: count }, () => new TransferThread(this));
    port.signal.addEventListener("abort", this.#abort);
  }

  /**
   * Gives a batch to a thread; waits until one has room. `onDone` is called when its columns are appended, before anything of
   * the next batch is; then `done` resolves.
   * @throws what ended a batch before: what `onDamage` made of a damaged page
   */
  async gather(
    work: { readonly batch: Batch; readonly parts: readonly RowPart[]; readonly descriptor: number },
    onDone: (gathered: GatheredBatch) => void,
    onDamage: (error: DamagedColumn) => Error,
  ): Promise<{ readonly done: Promise<void> }> {
    const thread = await this.#findThread();
    const { batch, descriptor, parts } = work;
    return this.#give(thread, { type: "batch", batch, descriptor, rows: thread.sendRows(parts) }, (result, start) => {
      if (result.type === "damaged") throw onDamage(new DamagedColumn(result.place, result.message));
      if (result.type !== "gathered") throw new Error(`a batch of columns ended with "${result.type}"`);
      const { columns, sums } = result;
      onDone({ columns, sums, start });
    });
  }

  /**
   * Gives a table to a thread, which copies it to its place in the output; waits until one has room. `onDone` is called when
   * all orders before are done as well; then `done` resolves.
   * @throws what ended an order before
   */
  async copy(
    copy: Copy,
    onDone: (sums: CopySums) => void,
    onDamage: (error: DamagedPage) => Error,
  ): Promise<{ readonly done: Promise<void> }> {
    return this.#give(await this.#findThread(), { type: "copy", copy }, (result) => {
      if (result.type === "damaged") throw onDamage(new DamagedPage(result.place, result.message));
      if (result.type !== "copied") throw new Error(`a copy ended with "${result.type}"`);
      onDone(result.sums);
    });
  }

  #give(thread: TransferThread, order: Order, onDone: Job["onDone"]): { readonly done: Promise<void> } {
    const { promise: done, resolve, reject } = Promise.withResolvers<void>();
    done.catch(() => undefined);
    const job: Job = { order, onDone, resolve, reject, held: [], start: 0, result: undefined };
    this.#jobs.push(job);
    if (this.#jobs.length === 1) job.start = this.#output.position;
    thread.give(job);
    return { done };
  }

  /** Ends the threads, whatever they do. */
  async close(): Promise<void> {
    this.#port.signal.removeEventListener("abort", this.#abort);
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }

  /** A piece of a job has come; it is appended at once, or after the jobs before. */
  takePiece(job: Job, append: () => void): void {
    if (job === this.#jobs[0]) append();
    else job.held.push(append);
  }

  appendPiece(bytes: Uint8Array, crc32c: number): Promise<void> {
    return this.#output.append(bytes, crc32c);
  }

  /** A job has ended; those at the front that have are complete. */
  settle(): void {
    try {
      for (let job = this.#jobs[0]; job?.result !== undefined; job = this.#jobs[0]) this.#complete(job, job.result);
      this.#wake();
    } catch (error) {
      // This runs in a listener of a thread, where an exception would end the process.
      this.fail(error);
    }
  }

  #complete(job: Job, result: Result): void {
    job.onDone(result, job.start);
    job.resolve();
    this.#jobs.shift();
    this.#beginNext();
  }

  #beginNext(): void {
    const [next] = this.#jobs;
    if (next === undefined) return;
    next.start = this.#output.position;
    for (const append of next.held.splice(0)) append();
  }

  /** Ends all jobs. The first cause counts. */
  fail(cause: unknown): void {
    this.#failure ??= { cause };
    for (const job of this.#jobs.splice(0)) job.reject(this.#failure.cause);
    this.#wake();
  }

  /** The thread with the fewest orders, once it has room for one more. */
  async #findThread(): Promise<TransferThread> {
    for (;;) {
      this.#port.signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure.cause;
      this.#output.throwIfFailed();
      const [first, ...others] = this.#threads.toSorted((left, right) => left.given - right.given);
      if (first === undefined) throw new Error("no thread");
      if (this.#port.slowed && this.#jobs.length === 0) {
        this.#threads = [first];
        await Promise.all(others.map((thread) => thread.end()));
      }
      // Memory is short: one order at a time, in one thread.
      if (this.#port.slowed ? this.#jobs.length === 0 : first.given < givenOrders) return first;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

class TransferThread {
  readonly #pool: TransferThreads;
  readonly #worker: Worker;
  /** Jobs given and not done, in order. */
  readonly #jobs: Job[] = [];
  readonly #buffers: Uint8Array[] = [];
  readonly #rows = new Map<readonly RowPart[], number>();
  #lastRows = 0;
  #ending = false;

  constructor(pool: TransferThreads) {
    this.#pool = pool;
    // The same module in TypeScript or, in an installed package, compiled.
    const module = new URL(`./transfer-thread${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(module, { resourceLimits });
    this.#worker.on("message", (message: FromThread) => this.#receive(message));
    this.#worker.on("error", (cause) => pool.fail(cause));
    this.#worker.on("exit", (code) => {
      if (!this.#ending) pool.fail(new Error(`a thread that transfers tables ended with ${code}`));
    });
  }

  get given(): number {
    return this.#jobs.length;
  }

  /** Makes rows known to the thread; returns their number there. */
  sendRows(parts: readonly RowPart[]): number {
    const known = this.#rows.get(parts);
    // The last ones used are at the end.
    this.#rows.delete(parts);
    this.#rows.set(parts, known ?? this.#lastRows + 1);
    if (known !== undefined) return known;
    this.#lastRows += 1;
    const forgotten = [...this.#rows].slice(0, -keptRows);
    for (const [old] of forgotten) this.#rows.delete(old);
    this.#send({ type: "rows", id: this.#lastRows, parts, forget: forgotten.map(([, id]) => id) });
    return this.#lastRows;
  }

  give(job: Job): void {
    this.#jobs.push(job);
    this.#send(job.order);
  }

  async end(): Promise<void> {
    this.#ending = true;
    await this.#worker.terminate();
  }

  #send(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromThread): void {
    const [job] = this.#jobs;
    if (message.type === "failed") return this.#pool.fail(fromSent(message.error));
    if (job === undefined) return this.#pool.fail(new Error(`a thread without an order sent "${message.type}"`));
    if (message.type === "piece") {
      const { slot, length, crc32c, memory } = message;
      if (memory !== undefined) this.#buffers[slot] = new Uint8Array(memory);
      const bytes = this.#buffers[slot]?.subarray(0, length);
      if (bytes === undefined) return this.#pool.fail(new Error(`a thread sent buffer ${slot} without its memory`));
      return this.#pool.takePiece(job, () => {
        void this.#pool.appendPiece(bytes, crc32c).then(() => this.#send({ type: "written", slot }));
      });
    }
    this.#jobs.shift();
    job.result = message;
    this.#pool.settle();
  }
}
