import type { Plan } from "../../model/plan.ts";
import { version } from "../../model/version.ts";
import { ReusableBuffer } from "../../parquet/buffer-pool.ts";
import type { LoadedRange } from "../../parquet/column-file.ts";
import { chunksOf } from "../../parquet/footer.ts";
import type { OpenFile, StagedOutput, Written } from "../../store/store.ts";
import type { Context } from "../context.ts";
import type { PlannedMerge } from "../plan/plan.ts";
import { hasKnownRows } from "../ranges.ts";
import type { PlannedTable, TransferredTable } from "../table.ts";
import { Aligner } from "./align.ts";
import { checkArrived } from "./arrival.ts";
import { Output } from "./output.ts";
import { RowMatcher, type TargetKeys } from "./row-matcher.ts";
import { Splicer } from "./splice.ts";
import { openSource, type TableSource } from "./table-source.ts";
import { TransferThreads } from "./transfer-threads.ts";

/** The output with the columns of all tables, its footer not yet written. */
export interface Transferred {
  readonly output: Output;
  readonly tables: readonly TransferredTable[];
}

/** Splices, links or aligns every table of the plan into the staged output, one after the other. */
export function transferTables(
  context: Context,
  planned: PlannedMerge,
  keys: TargetKeys,
  staged: StagedOutput,
): Promise<Transferred> {
  return new TransferRun(context, planned, keys, staged).run();
}

/** Appends the new footer and waits until everything is durable. */
export async function finishOutput(plan: Plan, output: Output, staged: StagedOutput): Promise<Written> {
  const footer = output.footer.build(`widemerge version ${version}`, {
    "widemerge.pair": plan.pair,
    "widemerge.digest": plan.digest,
  });
  await output.append(footer);
  await output.drain();
  return staged.finish();
}

/** A table with what its transfer needs: the open file to splice from, the source and the key to align, or nothing to link it. */
type ReadyTable =
  | { readonly table: PlannedTable; readonly transfer: "splice"; readonly opened: OpenFile }
  | {
      readonly table: PlannedTable;
      readonly transfer: "align";
      readonly source: TableSource;
      readonly keyChunks: readonly LoadedRange[];
    }
  | { readonly table: PlannedTable; readonly transfer: "link" };

class TransferRun {
  readonly #context: Context;
  readonly #planned: PlannedMerge;
  readonly #matcher: RowMatcher;
  readonly #output: Output;
  readonly #splicer: Splicer;
  readonly #threads: TransferThreads | undefined;
  readonly #aligner: Aligner;
  /** For keys, and objects that are read as a whole: the current table, and the next one. */
  #buffers: readonly [AlignBuffers, AlignBuffers] = [new AlignBuffers(), new AlignBuffers()];
  #bytesDone = 0;
  #tablesDone = 0;

  constructor(context: Context, planned: PlannedMerge, keys: TargetKeys, staged: StagedOutput) {
    this.#context = context;
    this.#planned = planned;
    this.#matcher = new RowMatcher(keys, planned.plan.rowGroups);
    this.#output = new Output(staged, planned.plan.rowGroups);
    const { threads } = planned;
    this.#threads = threads > 1 ? new TransferThreads(threads, this.#output, context.port) : undefined;
    this.#splicer = new Splicer(this.#output, context.port.signal, this.#threads);
    this.#aligner = new Aligner(this.#output, context.port.signal, this.#threads);
  }

  async run(): Promise<Transferred> {
    // Of tables that threads transfer, several are under way at once.
    const transferred: Promise<TransferredTable>[] = [];
    let ahead: Promise<ReadyTable> | undefined;
    try {
      const { tables } = this.#planned;
      for (const [index, table] of tables.entries()) {
        this.#context.port.signal.throwIfAborted();
        // A copy begins where the tables before it end, which is known of other copies at once.
        if (table.transfer !== "align" && tables[index - 1]?.transfer === "align") await Promise.all(transferred);
        // From here on, nothing may fail before this table's file is in the hands of the code that closes it.
        const ready = await (ahead ?? this.#prepare(table));
        const next = tables[index + 1];
        ahead = next === undefined || this.#context.port.slowed ? undefined : this.#prepare(next);
        // A failure of this table must not leave a rejection behind that nobody awaits.
        ahead?.catch(() => undefined);
        const { sum } = await this.#transfer(ready);
        const done = sum.then((value) => this.#finish(table, value));
        done.catch(() => undefined);
        transferred.push(done);
      }
      const done = await Promise.all(transferred);
      await this.#output.drain();
      return { output: this.#output, tables: done };
    } finally {
      await this.#threads?.close();
      await Promise.allSettled(transferred);
      // The next table was opened and will not be transferred: close it.
      await ahead?.then(close, () => undefined);
    }
  }

  #finish(table: PlannedTable, sum: number): TransferredTable {
    const crc32c = checkArrived(table.file, sum);
    this.#tablesDone += 1;
    this.#report(table, this.#tablesDone);
    return { ...table, crc32c };
  }

  /** Storage works on the next table while this one is copied or computed. */
  async #prepare(table: PlannedTable): Promise<ReadyTable> {
    const { transfer } = table;
    if (transfer === "link") return { table, transfer };
    const opened = await this.#context.store.open(table.file);
    return transfer === "splice" ? { table, transfer, opened } : this.#prepareAlign(table, opened);
  }

  /** With the buffers that the table before the last one used. */
  async #prepareAlign(table: PlannedTable, opened: OpenFile): Promise<ReadyTable> {
    const [buffers, others] = this.#buffers;
    this.#buffers = [others, buffers];
    const source = openSource(table, opened, buffers.whole);
    try {
      const keyChunks = hasKnownRows(table) ? [] : await loadKey(table, source, buffers.key);
      return { table, transfer: "align", source, keyChunks };
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** Resolves when the next table can be transferred; `sum`, the CRC32C of the whole input, when this one has been. */
  async #transfer(ready: ReadyTable): Promise<{ readonly sum: Promise<number> }> {
    switch (ready.transfer) {
      case "link":
        return { sum: Promise.resolve(this.#splicer.link(ready.table)) };
      case "align":
        return this.#align(ready.table, ready.source, ready.keyChunks);
      case "splice":
        return this.#splice(ready.table, ready.opened);
    }
  }

  async #splice(table: PlannedTable, opened: OpenFile): Promise<{ readonly sum: Promise<number> }> {
    try {
      const given = await this.#splicer.splice(table, opened);
      const sum = given.sum.catch((error: unknown) => this.#endThreads(error)).finally(() => opened.close());
      sum.catch(() => undefined);
      // Of a table that is copied here, nothing is left to do beside the next one.
      if (this.#threads === undefined) await sum;
      return { sum };
    } catch (error) {
      return this.#endThreads(error).finally(() => opened.close());
    }
  }

  async #align(
    table: PlannedTable,
    source: TableSource,
    keyChunks: readonly LoadedRange[],
  ): Promise<{ readonly sum: Promise<number> }> {
    try {
      const parts = this.#matcher.match(table, keyChunks);
      const { done } = await this.#aligner.align({ table, parts, source });
      const sum = done
        .then(() => source.finish())
        .catch((error: unknown) => this.#endThreads(error))
        .finally(() => source.close());
      sum.catch(() => undefined);
      // Of a table that is gathered here, nothing is left to do beside the next one.
      if (this.#threads === undefined) await sum;
      return { sum };
    } catch (error) {
      await this.#threads?.close();
      const sum = await sumArrived(source);
      await source.close();
      if (sum !== undefined) checkArrived(table.file, sum);
      throw error;
    }
  }

  /** A file must not be closed under a thread that reads it. */
  async #endThreads(error: unknown): Promise<never> {
    await this.#threads?.close();
    throw error;
  }

  #report(table: PlannedTable, tablesDone: number): void {
    const { plan, tables } = this.#planned;
    if (table.transfer !== "link") this.#bytesDone += table.file.size;
    this.#context.port.emit({
      type: "progress",
      stage: "merge",
      tablesDone,
      tables: tables.length,
      bytesDone: this.#bytesDone,
      bytesTotal: plan.readBytes,
    });
  }
}

/** The CRC32C of an object that could not be gathered, read to its end: were its bytes altered on the way? */
function sumArrived(source: TableSource): Promise<number | undefined> {
  return source.shared === undefined ? source.finish().catch(() => undefined) : Promise.resolve(undefined);
}

async function close(ready: ReadyTable): Promise<void> {
  if (ready.transfer === "splice") await ready.opened.close();
  if (ready.transfer === "align") await ready.source.close();
}

class AlignBuffers {
  readonly key = new ReusableBuffer();
  readonly whole = new ReusableBuffer();
}

async function loadKey(
  { footer, key }: PlannedTable,
  source: TableSource,
  buffer: ReusableBuffer,
): Promise<LoadedRange[]> {
  const chunks = chunksOf(footer, [key]);
  const read = await source.load(chunks, buffer);
  const loaded: LoadedRange[] = [];
  for (const chunk of chunks) loaded.push({ start: chunk.start, bytes: await read(chunk) });
  return loaded;
}
