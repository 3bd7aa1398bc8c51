import type { TablePlan } from "../../model/plan.ts";
import { MiB } from "../../model/units.ts";
import type { Column } from "../../parquet/footer.ts";
import { combineCrc32c, crc32c } from "../../store/crc32c.ts";
import type { OpenFile } from "../../store/store.ts";
import type { Inspected } from "../inspect/table.ts";
import { type BlockPool, blockBytes } from "./blocks.ts";
import type { Output } from "./output.ts";

/** A contiguous range of input bytes that goes into the output, and how far it moves. */
interface Run {
  readonly start: number;
  readonly end: number;
  readonly delta: number;
}

/**
 * Copies the encoded column chunks of a table into the output, undecoded, and enters them in its footer. Returns the
 * CRC32C of the whole input.
 */
export async function spliceTable(
  opened: OpenFile,
  table: Inspected,
  plan: TablePlan,
  isTargets: boolean,
  output: Output,
  pool: BlockPool,
  signal: AbortSignal,
): Promise<number> {
  const columns = chooseColumns(table, plan, isTargets);
  const runs = planRuns(
    table,
    columns.map(({ column }) => column),
    output.position,
  );
  const checksum =
    opened.stream === undefined || table.file.crc32c === undefined
      ? await copyBlocks(opened, runs, output, pool, signal)
      : await copyStreams(opened.stream, runs, output, signal, table.file.crc32c);
  for (const { column, name } of columns)
    output.addColumn(table.footer, column, name, (chunk) => findRun(runs, chunk.start).delta);
  return checksum;
}

/** Makes a whole input part of the output, undecoded and unmoved, and enters its column chunks in the footer. */
export function linkTable(table: Inspected, plan: TablePlan, isTargets: boolean, output: Output): void {
  const start = output.link(table.file);
  for (const { column, name } of chooseColumns(table, plan, isTargets))
    output.addColumn(table.footer, column, name, () => start);
}

/** Bytes of an upload that may wait while the next ones arrive. */
const streamedBytes = 32 * MiB;

/** Writers leave a few dozen bytes between chunks: less than another request costs. */
const gapBytes = 64 * 1024;

/** Asks for the runs alone, neighbours in one request: the sum of the whole input is known. */
async function copyStreams(
  stream: NonNullable<OpenFile["stream"]>,
  runs: readonly Run[],
  output: Output,
  signal: AbortSignal,
  checksum: string,
): Promise<number> {
  for (const range of joinRanges(runs, gapBytes)) {
    let at = range.start;
    for await (const piece of stream(range.start, range.end - range.start)) {
      signal.throwIfAborted();
      copyRuns(runs, at, piece, output, 0);
      at += piece.length;
      await output.settle(streamedBytes);
    }
  }
  return Number.parseInt(checksum, 16);
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Ranges in order, joined where at most `gap` bytes lie between them. */
function joinRanges(ranges: readonly Range[], gap: number): Range[] {
  const joined: { start: number; end: number }[] = [];
  for (const { start, end } of ranges) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last.end + gap) last.end = Math.max(last.end, end);
    else joined.push({ start, end });
  }
  return joined;
}

/** Reads the file once, in order, through a few blocks; returns the CRC32C of the whole input. */
async function copyBlocks(
  opened: OpenFile,
  runs: readonly Run[],
  output: Output,
  pool: BlockPool,
  signal: AbortSignal,
): Promise<number> {
  let checksum = 0;
  for await (const { at, block, bytes } of readBlocks(opened, pool, signal)) {
    output.throwIfFailed();
    const copied = copyRuns(runs, at, bytes, output, checksum);
    checksum = copied.checksum;
    void copied.written.then(() => pool.release(block));
  }
  return checksum;
}

interface Block {
  readonly at: number;
  readonly block: Uint8Array;
  readonly bytes: Uint8Array;
}

/** The blocks of a file in order; the next one is being read while the consumer works on this one. */
async function* readBlocks(opened: OpenFile, pool: BlockPool, signal: AbortSignal): AsyncGenerator<Block> {
  const read = async (at: number): Promise<Block> => {
    const block = await pool.acquire();
    return { at, block, bytes: await opened.read(at, Math.min(blockBytes, opened.size - at), block) };
  };
  let next: Promise<Block> | undefined;
  try {
    next = opened.size > 0 ? read(0) : undefined;
    while (next !== undefined) {
      const current: Block = await next;
      signal.throwIfAborted();
      next = current.at + blockBytes < opened.size ? read(current.at + blockBytes) : undefined;
      yield current;
    }
  } finally {
    // Left early: the file must not be closed under a read.
    await next?.catch(() => undefined);
  }
}

/** The table's columns with their output names; the targets' key first. */
export function chooseColumns(
  table: Inspected,
  plan: TablePlan,
  isTargets: boolean,
): { readonly column: Column; readonly name: string }[] {
  const others = table.footer.columns.filter((column) => column !== table.key);
  const named = others.map((column, index) => ({ column, name: plan.columns[index]?.output ?? column.name }));
  return isTargets ? [{ column: table.key, name: table.key.name }, ...named] : named;
}

/** Ranges in file order, neighbours joined, so that a table of contiguous chunks is one copy. */
function planRuns(table: Inspected, columns: readonly Column[], position: number): Run[] {
  const ranges = table.footer.rowGroups
    .flatMap((group) =>
      columns.flatMap((column) => group.chunks.slice(column.firstLeaf, column.firstLeaf + column.leaves)),
    )
    .map((chunk) => ({ start: chunk.start, end: chunk.start + chunk.size }))
    .sort((left, right) => left.start - right.start || left.end - right.end);
  let at = position;
  return joinRanges(ranges, 0).map(({ start, end }) => {
    const run = { start, end, delta: at - start };
    at += end - start;
    return run;
  });
}

/** Appends what of a block belongs to a run; the input's checksum goes on over all of it, every byte summed once. */
function copyRuns(
  runs: readonly Run[],
  at: number,
  bytes: Uint8Array,
  output: Output,
  before: number,
): { readonly checksum: number; readonly written: Promise<unknown> } {
  const writes: Promise<void>[] = [];
  let checksum = before;
  let done = 0;
  for (const run of runs) {
    if (run.start >= at + bytes.length || run.end <= at) continue;
    const from = Math.max(0, run.start - at);
    const piece = bytes.subarray(from, Math.min(bytes.length, run.end - at));
    const sum = crc32c(piece);
    checksum = combineCrc32c(crc32c(bytes.subarray(done, from), checksum), sum, piece.length);
    writes.push(output.append(piece, sum));
    done = from + piece.length;
  }
  return { checksum: crc32c(bytes.subarray(done), checksum), written: Promise.all(writes) };
}

function findRun(runs: readonly Run[], start: number): Run {
  const run = runs.find((candidate) => start >= candidate.start && start <= candidate.end);
  if (run === undefined) throw new Error(`no run holds byte ${start}`);
  return run;
}
