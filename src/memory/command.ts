import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { MiB } from "../model/units.ts";
import { type ProcessMemory, readDataLimit, readProcess } from "./process.ts";

const withoutLimit =
  "this machine has no prlimit (Linux: package util-linux): the memory ceiling is enforced by sampling alone";

/** A program and its arguments. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Limits that this machine cannot set, one sentence each. */
  readonly notices: readonly string[];
}

/**
 * A Node command under limits of the kernel:
 * - `prlimit --data` refuses an allocation that would run past the ceiling between two samples;
 * - `setpriv --pdeathsig` kills the child with its supervisor, even while it is inside a long native call.
 * Both replace themselves by Node, so process id and message channel stay those of the child. Each is left out on
 * machines without it.
 */
export function limitCommand(nodeArgs: readonly string[], ceilingBytes: number, threads: number): Command {
  const node = [process.execPath, ...nodeArgs];
  const own = process.platform === "linux" ? readProcess("self") : undefined;
  const prlimit = own === undefined ? undefined : findProgram("prlimit");
  if (own === undefined || prlimit === undefined) return toCommand(bindToParent(node), [withoutLimit]);
  const dataLimitBytes = Math.min(chooseDataLimit(ceilingBytes, threads, own), readDataLimit() ?? Number.MAX_VALUE);
  const limited = [prlimit, `--data=${dataLimitBytes}:${dataLimitBytes}`, "--", ...node];
  return toCommand(bindToParent(limited), []);
}

function bindToParent(args: readonly string[]): readonly string[] {
  const setpriv = process.platform === "linux" ? findProgram("setpriv") : undefined;
  return setpriv === undefined ? args : [setpriv, "--pdeathsig", "SIGKILL", "--", ...args];
}

function toCommand(args: readonly string[], notices: readonly string[]): Command {
  const [program = process.execPath, ...rest] = args;
  return { program, args: rest, notices };
}

/**
 * RLIMIT_DATA for the child, in bytes. The kernel counts private writable mappings whether or not they are resident, so
 * memory that Node and Polars map without touching is added to the ceiling (measured with Node 26, nodejs-polars 0.25):
 * - V8's code range and the stacks of its threads: 515 MiB in Node 26, other sizes in other versions; therefore taken
 *   from this process, which runs the same program;
 * - 2 MiB of stack for each Polars thread (599 MiB with 8 threads against 584 MiB with 2);
 * - the stacks of the I/O threads (4 × 8 MiB) and what the allocator keeps mapped between two tables: up to 25 MiB beyond
 *   the largest resident set over 60 reads, joins and writes of up to 160 MB, on 2 and 8 threads: the limit adds 128 MiB,
 *   and 1/32 of the ceiling, because fragmentation grows with the heap.
 * A child under a ceiling of 512 MiB can therefore touch at most 512 + 144 MiB and a few thread stacks.
 */
function chooseDataLimit(ceilingBytes: number, threads: number, own: ProcessMemory): number {
  const reserved = Math.max(0, own.dataBytes - (own.rssBytes - own.fileBytes));
  return ceilingBytes + reserved + threads * 2 * MiB + 128 * MiB + Math.ceil(ceilingBytes / 32);
}

/** The first executable of that name in PATH. */
function findProgram(name: string): string | undefined {
  const paths = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return paths.map((dir) => join(dir, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
