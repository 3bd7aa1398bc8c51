import type { TaskLimits } from "../../model/task.ts";
import { MiB } from "../../model/units.ts";
import type { PlannedTable } from "../table.ts";
import { type MergeSize, predictPeak } from "./predict.ts";

/** One thread writes what all others gather: it would not keep up with more. */
const mostThreads = 8;
/**
 * Address space that V8 reserves for the code of a thread, 62 MiB, and stacks. Next to none of it is used, but the data limit
 * of the process counts it as if it were.
 */
const reservedBytes = 72 * MiB;
/** Encoded bytes to gather below which threads would take longer to start than they save. */
const worthwhileBytes = 48 * MiB;
/** Bytes that are copied in the time in which one is gathered. */
const copiesPerGather = 8;

/**
 * How many threads gather columns and copy tables side by side: as many as the CPUs and the ceiling allow. Over a network
 * one thread is faster than the bytes arrive.
 */
export function chooseThreads(
  size: Omit<MergeSize, "threads">,
  { cpus, ceilingBytes }: Pick<TaskLimits, "cpus" | "ceilingBytes">,
): number {
  const bytes = size.tables.reduce((sum, table) => sum + gatheredBytes(table), 0);
  if (size.remote || bytes < worthwhileBytes) return 1;
  let threads = Math.min(cpus, mostThreads);
  while (threads > 1 && predictPeak({ ...size, threads }) + threads * reservedBytes > ceilingBytes) threads -= 1;
  return threads;
}

/** The bytes of a table, as if all were gathered. */
function gatheredBytes({ transfer, plan, file }: PlannedTable): number {
  return transfer === "align" ? plan.bytes : file.size / copiesPerGather;
}
