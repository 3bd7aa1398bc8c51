import type { TablePlan } from "../contract/plan.ts";
import type { VerifyLevel } from "../contract/settings.ts";
import type { TaskLimits } from "../contract/task.ts";
import { blockBytes, blocks } from "./blocks.ts";
import type { ProvenTable } from "./keys.ts";

const MiB = 2 ** 20;

interface Sizes {
  readonly tables: readonly TablePlan[];
  readonly rows: number;
  readonly columns: number;
  readonly rowGroups: readonly number[];
  readonly readBytes: number;
}

/** What the child's heap grows by for stacks, module code and garbage that is not collected yet. */
const workingBytes = 48 * MiB;
/** Polars' library, its thread pool and its allocator's reserve, once something is decoded. */
const polarsBytes = 96 * MiB;
/** Parsed footers and the new one: measured 1.6 KiB a column chunk, rounded up. */
const chunkBytes = 2048;

/**
 * Peak memory of the whole job in bytes, before anything is read in bulk: what runs already, metadata of all
 * columns, and the larger of the copy buffers and the largest tables in flight.
 */
export function predictPeak(
  sizes: Sizes,
  proven: readonly ProvenTable[],
  limits: TaskLimits,
  verify: VerifyLevel,
): number {
  const metadata = sizes.columns * Math.max(1, sizes.rowGroups.length) * chunkBytes;
  const copy = blocks * blockBytes;
  const align = Math.max(0, ...sizes.tables.filter((table) => table.action === "align").map(alignBytes));
  const check = verify === "structure" ? 0 : Math.max(...sizes.tables.map((table) => checkBytes(table, verify)));
  const keys = proven.every(({ proof }) => proof.how === "same bytes") ? 0 : keyBytes(proven);
  const decodes = align > 0 || check > 0 || keys > 0;
  return (
    limits.baselineBytes + workingBytes + metadata + copy + (decodes ? polarsBytes : 0) + Math.max(keys, align, check)
  );
}

/** One table being aligned while the next is read: file, decoded, joined, encoded, and the frames before that are not freed yet. */
function alignBytes(table: TablePlan): number {
  return 3 * table.file.size + 4 * table.decodedBytes;
}

function checkBytes(table: TablePlan, verify: VerifyLevel): number {
  const share = verify === "full" ? 1 : 2 / Math.max(1, table.columns.length);
  return share * (2 * table.bytes + 4 * table.decodedBytes);
}

function keyBytes(proven: readonly ProvenTable[]): number {
  return 24 * Math.max(...proven.map(({ table }) => table.footer.rows)) * 8;
}

/** Bytes a second that a common disk sustains for reading and writing at once, and that aligning adds. */
const copyRate = 600e6;
const alignRate = 200e6;

/** A rough guess of the seconds a merge takes, from rates of an ordinary machine. */
export function predictSeconds(sizes: Sizes): number {
  const aligned = sizes.tables.filter((table) => table.action === "align").reduce((sum, table) => sum + table.bytes, 0);
  return 0.5 + sizes.readBytes / copyRate + aligned / alignRate;
}
