import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { listTree, readProcess } from "../../memory/process.ts";
import type { TaskProgress } from "../../model/run.ts";
import type { ProcessId } from "./process.ts";

const tailBytes = 4096;

/** How far a worker is, from the last progress line of its log and the resident memory of its processes. */
export function readProgress(worker: ProcessId, log: string): TaskProgress | undefined {
  const workingSetBytes = listTree(worker.pid).reduce((sum, pid) => sum + (readProcess(pid)?.rssBytes ?? 0), 0);
  const line = readTail(log)
    .split("\n")
    .findLast((text) => text.includes('"tablesDone"'));
  return { ...parseTables(line), workingSetBytes };
}

function parseTables(line: string | undefined): { readonly tablesDone: number; readonly tables: number } {
  try {
    const found: unknown = JSON.parse(line ?? "");
    if (typeof found === "object" && found !== null && "tablesDone" in found && "tables" in found)
      return { tablesDone: Number(found.tablesDone), tables: Number(found.tables) };
  } catch {
    // No line yet, or a line that was cut.
  }
  return { tablesDone: 0, tables: 0 };
}

/** The end of a log that may be long. */
function readTail(path: string): string {
  try {
    const file = openSync(path, "r");
    try {
      const size = fstatSync(file).size;
      const bytes = Buffer.alloc(Math.min(tailBytes, size));
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, size - bytes.length)).toString();
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}
