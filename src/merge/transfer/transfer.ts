import type { Plan } from "../../model/plan.ts";
import { version } from "../../model/version.ts";
import { ReusableBuffer } from "../../parquet/buffer-pool.ts";
import { crc32c, formatCrc32c } from "../../store/crc32c.ts";
import type { OpenFile, StagedOutput, Written } from "../../store/store.ts";
import { prefetchBytes } from "../budget.ts";
import type { Context } from "../context.ts";
import type { PlannedMerge } from "../plan/plan.ts";
import type { PlannedTable, TransferredTable } from "../table.ts";
import { Aligner } from "./align.ts";
import { ChunkSink } from "./chunk-sink.ts";
import { Output } from "./output.ts";
import { RowMatcher, type TargetKeys } from "./row-matcher.ts";
import { Splicer } from "./splice.ts";

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

/** A table with what its transfer needs: the open file to splice from, the bytes to align, or nothing to link it. */
type ReadyTable =
  | { readonly table: PlannedTable; readonly transfer: "splice"; readonly opened: OpenFile }
  | { readonly table: PlannedTable; readonly transfer: "align"; readonly bytes: Uint8Array }
  | { readonly table: PlannedTable; readonly transfer: "link" };

class TransferRun {
  readonly #context: Context;
  readonly #planned: PlannedMerge;
  readonly #matcher: RowMatcher;
  readonly #output: Output;
  readonly #splicer: Splicer;
  readonly #aligner: Aligner;
  /** For whole files: the current table, and the next one. */
  readonly #buffers: [ReusableBuffer, ReusableBuffer] = [new ReusableBuffer(), new ReusableBuffer()];
  #bytesDone = 0;

  constructor(context: Context, planned: PlannedMerge, keys: TargetKeys, staged: StagedOutput) {
    this.#context = context;
    this.#planned = planned;
    this.#matcher = new RowMatcher(keys, planned.plan.rowGroups);
    this.#output = new Output(staged, planned.plan.rowGroups);
    this.#splicer = new Splicer(this.#output, context.port.signal);
    this.#aligner = new Aligner(this.#output, new ChunkSink(this.#output));
  }

  async run(): Promise<Transferred> {
    const transferred: TransferredTable[] = [];
    let ahead: Promise<ReadyTable> | undefined;
    try {
      const { tables } = this.#planned;
      for (const [index, table] of tables.entries()) {
        this.#context.port.signal.throwIfAborted();
        const ready = await (ahead ?? this.#prepare(table));
        const next = tables[index + 1];
        ahead = next !== undefined && this.#canPrepareAhead(next) ? this.#prepare(next) : undefined;
        // A failure of this table must not leave a rejection behind that nobody awaits.
        ahead?.catch(() => undefined);
        transferred.push({ ...table, crc32c: formatCrc32c(await this.#transfer(ready)) });
        this.#report(table, transferred.length);
      }
      await this.#output.drain();
      return { output: this.#output, tables: transferred };
    } finally {
      // The next table was opened and will not be transferred: close it.
      await ahead?.then(close, () => undefined);
    }
  }

  #canPrepareAhead({ transfer, file }: PlannedTable): boolean {
    return transfer !== "align" || (!this.#context.port.slowed && file.size <= prefetchBytes);
  }

  /** Storage works on the next table while this one is copied or computed. */
  async #prepare(table: PlannedTable): Promise<ReadyTable> {
    const { transfer } = table;
    if (transfer === "splice") return { table, transfer, opened: await this.#context.store.open(table.file) };
    return transfer === "align" ? { table, transfer, bytes: await this.#readWhole(table) } : { table, transfer };
  }

  /** Into the buffer that the table before the last one used; large tables, which are never two at once, share one. */
  async #readWhole({ file }: PlannedTable): Promise<Uint8Array> {
    const buffers = this.#buffers;
    if (file.size > prefetchBytes && buffers[1].size > buffers[0].size) buffers.reverse();
    const [buffer, other] = buffers;
    buffers.splice(0, 2, other, buffer);
    buffer.reset();
    const opened = await this.#context.store.open(file);
    try {
      return await opened.read(0, opened.size, buffer.take(opened.size));
    } finally {
      await opened.close();
    }
  }

  /** Returns the CRC32C of the whole input. */
  async #transfer(ready: ReadyTable): Promise<number> {
    switch (ready.transfer) {
      case "link":
        return this.#splicer.link(ready.table);
      case "align":
        return this.#align(ready.table, ready.bytes);
      case "splice":
        try {
          return await this.#splicer.splice(ready.table, ready.opened);
        } finally {
          await ready.opened.close();
        }
    }
  }

  async #align(table: PlannedTable, bytes: Uint8Array): Promise<number> {
    await this.#aligner.align({
      table,
      parts: this.#matcher.match(table, bytes),
      read: async ({ start, size }) => bytes.subarray(start, start + size),
      signal: this.#context.port.signal,
    });
    return crc32c(bytes);
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

async function close(ready: ReadyTable): Promise<void> {
  if (ready.transfer === "splice") await ready.opened.close();
}
