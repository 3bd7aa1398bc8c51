import { largest, sum } from "../../model/numbers.ts";
import type { Assembly } from "../../model/plan.ts";
import type { VerifyLevel } from "../../model/settings.ts";
import { MiB } from "../../model/units.ts";
import { decodedSize, encodedSize } from "../../parquet/column-type.ts";
import {
  batchBytes,
  copyBlockBytes,
  copyBlocks,
  gatherBytes,
  pieceBuffers,
  remoteTablesAtOnce,
  tablesAtOnce,
} from "../budget.ts";
import { hasKnownRows, isInOrder } from "../ranges.ts";
import type { InspectedTable, PlannedTable } from "../table.ts";
import { type GatherSize, largestGather, writeBufferSize } from "./gather-size.ts";
import { keySize } from "./key-size.ts";

/** What the need of a merge depends on. */
export interface MergeSize {
  readonly tables: readonly PlannedTable[];
  /** Rows and columns of the output, and the rows of each of its row groups. */
  readonly rows: number;
  readonly columns: number;
  readonly rowGroups: readonly number[];
  /** Bytes of the inputs that are read. */
  readonly readBytes: number;
  /** Memory in use before the merge starts, in bytes. */
  readonly baselineBytes: number;
  readonly verify: VerifyLevel;
  /** Whether inputs or output lie behind a network. */
  readonly remote: boolean;
  /** Threads that gather columns and copy tables; 1: the thread that reads and writes does. */
  readonly threads: number;
}

/**
 * Constants are measured (Node 26, nodejs-polars 0.25, glibc, 2 CPUs) over the shapes of predict.test.ts, as the sum of resident
 * sets, which counts program text twice; in a control group less is measured. Everything else follows from what the code
 * holds at once.
 *
 * The child before it reads a table: Node, its modules, Polars' library: 93–108 MiB in the smallest merge, 15–25 MiB more
 * while Node compiles modules that it does not have in its compile cache yet.
 */
const childBytes = 136 * MiB;
/**
 * Program text, thread stacks and arenas that only gathering or comparing touches: 5–15 MiB, and the holes that texts of many
 * lengths leave in the arenas.
 */
const decodingBytes = 28 * MiB;
/** A table without its columns: its listing, footer, plan, and entry in the manifest. */
const tableBytes = 10 * 1024;
/** A column chunk of an input: its part of the parsed footer. */
const inputChunkBytes = 2048;
/** A column chunk of the output: its part of the plan and of the new footer. */
const outputChunkBytes = 3072;
/** Garbage grows with what is live before it is collected: gathering and comparing leave as much again. */
const decodingFactor = 2;
/** V8 lets dead buffers grow to 64 MiB (its external allocation limit) before it collects because of them. */
const deadBufferBytes = 64 * MiB;
/** Encoded bytes of a table pass through this many buffers: as they are read, decoded, and written. */
const buffersPerByte = 3;
/** A batch while it is compared: encoded and decoded, of source and output: 2.7–3.6 measured. */
const compareFactor = 5;
/** What Polars' allocator keeps of frames that are freed, or waits for their finalizers: up to 100 MiB measured, dead buffers included. */
const frameBytes = 64 * MiB;
/** A row whose key is looked up in a JavaScript map: text, entry, place in three lists, and those of the table before. */
const matchBytes = 450;

/**
 * Peak memory of the whole job in bytes, before anything is read in bulk: what runs already, the child, metadata of all
 * tables and columns, keys, and the largest of what the stages need: proving keys, copying, aligning, comparing.
 */
export function predictPeak(size: MergeSize): number {
  const { tables, verify, baselineBytes } = size;
  const aligned = tables.filter(({ transfer }) => transfer === "align");
  const decodes = aligned.length > 0 || verify !== "structure";
  const stages = [
    proveBytes(size),
    copyBytes(size),
    alignBytes(size, aligned),
    verify === "structure" ? 0 : compareBytes(size),
  ];
  const program = childBytes + (decodes ? decodingBytes : 0);
  return baselineBytes + program + metadataBytes(size, decodes) + keptKeyBytes(size) + largest(stages);
}

function metadataBytes({ tables, columns, rowGroups }: MergeSize, decodes: boolean): number {
  const inputs = sum(tables.map(({ footer }) => sum(footer.rowGroups.map(({ chunks }) => chunks.length))));
  const live =
    tables.length * tableBytes + inputs * inputChunkBytes + columns * Math.max(1, rowGroups.length) * outputChunkBytes;
  return (decodes ? decodingFactor : 1) * live;
}

/** The targets' keys, the memory of the decoder that proved all keys, which is kept, and the matches that are. */
function keptKeyBytes({ tables, rows }: MergeSize): number {
  const decoded = tables.filter(({ proof, isTargets }) => isTargets || proof.how !== "same bytes");
  const sizes = decoded.map((table) => keySize(table, rows));
  const targets = tables.filter(({ isTargets }) => isTargets).map((table) => keySize(table, rows).vector);
  const runs = new Set(tables.flatMap(({ proof }) => proof.runs?.pairs ?? []));
  return largest(sizes.map(({ decoder }) => decoder)) + sum(targets) + sum([...runs].map((pairs) => pairs.byteLength));
}

/** The client of Cloud Storage with its connections. */
const clientBytes = 56 * MiB;
/** What a resumable upload keeps until it is acknowledged, what waits for it, and the copies between. */
const uploadBytes = 128 * MiB;
/** Parts on their way at once, each as it was encoded, cut and sent. */
const partsBytes = 96 * MiB;

/** What moving bytes over a network adds to the peak: the client, its buffers, and those that nobody collected yet. */
export function predictTransfer({ tables, readBytes }: MergeSize, assembly: Assembly): number {
  const aligns = tables.some(({ transfer }) => transfer === "align");
  const moves = assembly.how === "stream" ? uploadBytes : aligns ? partsBytes : 0;
  return clientBytes + Math.min(moves, 8 * readBytes) + deadBufferBytes;
}

/** Encoded keys of the tables that are open at once, the keys that are compared, and those before that are not collected yet. */
function proveBytes({ tables, rows, remote }: MergeSize): number {
  const decoded = tables.filter(({ proof }) => proof.how !== "same bytes").map((table) => keySize(table, rows));
  const encoded = largest(tables.map(({ footer, key }) => encodedSize(footer, key)));
  const made = decoded.map(({ vector, match }) => vector + match);
  const decoder = largest(decoded.map((key) => key.decoder));
  // The decoder's memory is put together anew, in one piece, when a larger key has come.
  const dead = deadBuffers(sum(made) + decoder, Math.max(decoder, largest(made)));
  return (remote ? remoteTablesAtOnce : tablesAtOnce) * encoded + largest(made) + dead;
}

/** A JavaScript engine of its own with the modules that gather: 11 MiB measured before it works, 20 after. */
const engineBytes = 24 * MiB;

function copyBytes({ tables, threads }: MergeSize): number {
  const spliced = tables.filter(({ transfer }) => transfer === "splice");
  if (threads > 1) return threads * (engineBytes + copyBlockBytes);
  return copyBlocks * Math.min(copyBlockBytes, largest(spliced.map(({ file }) => file.size)));
}

/** Buffers of encoded bytes: one is filled, one is on its way to the disk, one waits for its turn. */
const writeBuffers = 3;
/** Matches that are kept for tables with the same keys. */
const keptMatches = 4;

/** Keys that are matched again, what is read of the table at work and of the next one, the columns at work, and dead buffers. */
function alignBytes({ rows, rowGroups, remote, threads }: MergeSize, aligned: readonly PlannedTable[]): number {
  const sizes = (tables: readonly PlannedTable[]) => tables.map((table) => keySize(table, rows));
  const matched = sizes(aligned.filter((table) => !hasKnownRows(table)));
  const match = largest(matched.map((key) => key.decoder + key.vector + key.match));
  const others = sizes(aligned.filter(({ plan }) => !plan.sameKeys));
  const kept = Math.min(keptMatches, aligned.length) * largest(others.map(({ runs }) => runs));
  const gathers = aligned.map((table) => columnGather(table, rowGroups));
  const column = largest(gathers.map((gather) => gather.column));
  const buffer = largest(gathers.map(writeBufferSize));
  const read = largest(aligned.map((table) => largestRead(table, remote)));
  // A thread keeps the memory of the column before until its own collector runs, and pieces until they are written.
  const gathering =
    threads === 1
      ? column + writeBuffers * buffer + read
      : threads * (engineBytes + 2 * column + pieceBuffers * buffer + read);
  const passed = buffersPerByte * sum(aligned.map(({ file }) => file.size));
  return match + kept + read + gathering + deadBuffers(passed, column);
}

function columnGather(table: PlannedTable, layout: readonly number[]): GatherSize {
  const columns = table.columns.map(({ column }) => column);
  return largestGather(table, columns, layout);
}

/**
 * Encoded bytes of a table that are in memory while it is gathered: its key, the columns at work and the next ones, or one
 * chunk of a large column; of an object whose chunks are not needed in their order, all.
 */
function largestRead(table: PlannedTable, remote: boolean): number {
  const { footer, file, key } = table;
  if (remote && !isInOrder(table)) return file.size;
  const chunk = largest(footer.rowGroups.map(({ chunks }) => largest(chunks.map(({ size }) => size))));
  return Math.min(file.size, encodedSize(footer, key) + Math.max(gatherBytes, chunk));
}

function compareBytes({ tables, rows, verify }: MergeSize): number {
  const batch = largest(tables.map(verify === "full" ? largestBatch : keyAndLargestColumn));
  const match = tables.every(({ plan }) => plan.sameKeys) ? 0 : matchBytes * rows;
  return (
    frameBytes +
    compareFactor * batch +
    match +
    deadBuffers(buffersPerByte * sum(tables.map(({ file }) => file.size)), 0)
  );
}

/** Of `bytes` in buffers that are not in use any more, those that are not collected yet; `one`: the largest of them. */
function deadBuffers(bytes: number, one: number): number {
  return Math.min(deadBufferBytes + one, bytes);
}

/** Decoded bytes of the key and the most columns that are decoded together with it. */
function largestBatch(table: InspectedTable): number {
  const sizes = table.footer.columns.map((column) => decodedSize(table.footer, column));
  const key = decodedSize(table.footer, table.key);
  return Math.min(sum(sizes), key + Math.max(batchBytes, largest(sizes)));
}

function keyAndLargestColumn(table: InspectedTable): number {
  const sizes = table.footer.columns.map((column) => decodedSize(table.footer, column));
  return decodedSize(table.footer, table.key) + largest(sizes);
}

/** Bytes a second that a common disk sustains for reading and writing at once, and that aligning adds. */
const copyRate = 600e6;
const alignRate = 200e6;

/** A rough guess of the seconds a merge takes, from rates of an ordinary machine. */
export function predictSeconds({ tables, readBytes }: MergeSize): number {
  const aligned = sum(tables.filter(({ transfer }) => transfer === "align").map(({ plan }) => plan.bytes));
  return 0.5 + readBytes / copyRate + aligned / alignRate;
}
