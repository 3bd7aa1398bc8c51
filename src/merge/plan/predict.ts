import type { Assembly } from "../../model/plan.ts";
import type { VerifyLevel } from "../../model/settings.ts";
import { MiB } from "../../model/units.ts";
import { decodedSize, encodedSize } from "../../parquet/column-type.ts";
import { batchBytes, copyBlockBytes, copyBlocks, gatherBytes, pieceBuffers, remoteTablesAtOnce } from "../budget.ts";
import { isInOrder } from "../ranges.ts";
import type { InspectedTable, PlannedTable } from "../table.ts";

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
  /** Threads that gather columns; 1: the thread that reads and writes does. */
  readonly threads: number;
}

/**
 * All constants are measured (Node 26, nodejs-polars 0.25, glibc, 2 threads) over the shapes of predict.test.ts, as the
 * sum of resident sets, which counts program text twice; in a control group less is measured.
 *
 * The child once it has decoded the targets' key: Node, its modules, Polars' library: 93–108 MiB in the smallest merge,
 * 15–25 MiB more while Node compiles modules that it does not have in its compile cache yet.
 */
const childBytes = 136 * MiB;
/** Program text, thread stacks and arenas that only aligning or comparing touches: 5–40 MiB. */
const decodingBytes = 44 * MiB;
/** Parsed footers, the plan and the new footer: 3.4–4.4 KiB a column chunk with 16,700 columns. */
const chunkBytes = 5120;
/** Garbage grows with what is live before it is collected: aligning and comparing leave as much again, 7.9 to 9.5 KiB in all. */
const decodingChunkBytes = 12_288;
/** V8 lets dead buffers grow to 64 MiB (its external allocation limit) before it collects because of them. */
const deadBufferBytes = 64 * MiB;
/** Encoded bytes of a table pass through this many buffers: the wrapped columns, the encoder's output, its copy. */
const buffersPerByte = 3;
/**
 * A batch while it is aligned, in multiples of its decoded size: wrapped, decoded, joined, encoded, the one before on its way
 * to the disk, and frames before it that no finalizer has freed yet: 5–9.6 measured.
 */
const alignFactor = 10.5;
/** A batch while it is compared: encoded, wrapped and decoded, of source and output: 2.7–3.6 measured. */
const compareFactor = 5;
/** A key while it is compared with the targets' key: converted, counted, hashed, joined, and what is not freed yet. */
const keyFactor = 20;
/** A row whose key is looked up in a JavaScript map: text, entry, place in three lists, and those of the table before. */
const matchBytes = 450;

/**
 * Peak memory of the whole job in bytes, before anything is read in bulk: what runs already, the child, metadata of all
 * columns, and the largest of what the stages need: proving keys, copying, aligning, comparing.
 */
export function predictPeak(size: MergeSize): number {
  const { tables, columns, rowGroups, verify, baselineBytes, remote, threads } = size;
  const aligned = tables.filter(({ transfer }) => transfer === "align");
  const decodes = aligned.length > 0 || verify !== "structure";
  const chunks = columns * Math.max(1, rowGroups.length);
  const metadata = chunks * (decodes ? decodingChunkBytes : chunkBytes);
  const stages = [
    keyBytes(tables),
    copyBytes(tables),
    alignBytes(aligned, remote),
    verify === "structure" ? 0 : compareBytes(size),
  ];
  const running = threads > 1 ? threads * threadBytes(aligned) : 0;
  return baselineBytes + childBytes + (decodes ? decodingBytes : 0) + metadata + running + Math.max(...stages);
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

/** Key chunks of the tables that are open at once, and one key being compared. */
function keyBytes(tables: readonly PlannedTable[]): number {
  const encoded = tables.map(({ footer, key }) => encodedSize(footer, key));
  const decoded = tables.map(({ footer, key, proof }) =>
    proof.how === "same bytes" ? 0 : keyFactor * decodedSize(footer, key),
  );
  return remoteTablesAtOnce * Math.max(...encoded) + Math.max(...decoded);
}

function copyBytes(tables: readonly PlannedTable[]): number {
  const spliced = tables.filter(({ transfer }) => transfer === "splice");
  const largest = Math.max(0, ...spliced.map(({ file }) => file.size));
  return copyBlocks * Math.min(copyBlockBytes, largest);
}

/** What is read of the current table and of the next one, the largest batch, and dead buffers. */
function alignBytes(aligned: readonly PlannedTable[], remote: boolean): number {
  const files = aligned.map(({ file }) => file.size);
  const batch = Math.max(0, ...aligned.map(largestBatch));
  return (
    2 * Math.max(0, ...aligned.map((table) => largestRead(table, remote))) +
    alignFactor * batch +
    deadBuffers(sum(files))
  );
}

/**
 * Encoded bytes of a table that are in memory while it is gathered: its key, the current columns and the next ones, or one
 * chunk of a large column; of an object whose chunks are not needed in their order, all.
 */
function largestRead(table: PlannedTable, remote: boolean): number {
  const { footer, file, key } = table;
  if (remote && !isInOrder(table)) return file.size;
  const chunk = Math.max(0, ...footer.rowGroups.flatMap(({ chunks }) => chunks.map(({ size }) => size)));
  return Math.min(file.size, encodedSize(footer, key) + 2 * Math.max(gatherBytes, chunk));
}

/** A JavaScript engine of its own with the modules that gather: 11 MiB measured before it works, 20 after. */
const engineBytes = 24 * MiB;
/** A column while it is gathered, in multiples of its decoded size: decoded, joined, packed into pages, and waiting to be written. */
const gatherFactor = 6;

/** A thread that gathers: what it reads, its largest column, and encoded bytes that wait for the tables before. */
function threadBytes(aligned: readonly PlannedTable[]): number {
  const columns = aligned.flatMap(({ footer, columns: own }) => own.map(({ column }) => decodedSize(footer, column)));
  return (
    engineBytes + gatherBytes + pieceBuffers * gatherBytes + gatherFactor * columns.reduce((a, b) => Math.max(a, b), 0)
  );
}

function compareBytes({ tables, rows, verify }: MergeSize): number {
  const batch = Math.max(...tables.map(verify === "full" ? largestBatch : keyAndLargestColumn));
  const match = tables.every(({ plan }) => plan.sameKeys) ? 0 : matchBytes * rows;
  return compareFactor * batch + match + deadBuffers(sum(tables.map(({ file }) => file.size)));
}

function deadBuffers(bytes: number): number {
  return Math.min(deadBufferBytes, buffersPerByte * bytes);
}

/** Decoded bytes of the key and the most columns that are decoded together with it. */
function largestBatch(table: InspectedTable): number {
  const sizes = table.footer.columns.map((column) => decodedSize(table.footer, column));
  const key = decodedSize(table.footer, table.key);
  return Math.min(sum(sizes), key + Math.max(batchBytes, ...sizes));
}

function keyAndLargestColumn(table: InspectedTable): number {
  const sizes = table.footer.columns.map((column) => decodedSize(table.footer, column));
  return decodedSize(table.footer, table.key) + Math.max(0, ...sizes);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Bytes a second that a common disk sustains for reading and writing at once, and that aligning adds. */
const copyRate = 600e6;
const alignRate = 200e6;

/** A rough guess of the seconds a merge takes, from rates of an ordinary machine. */
export function predictSeconds({ tables, readBytes }: MergeSize): number {
  const aligned = sum(tables.filter(({ transfer }) => transfer === "align").map(({ plan }) => plan.bytes));
  return 0.5 + readBytes / copyRate + aligned / alignRate;
}
