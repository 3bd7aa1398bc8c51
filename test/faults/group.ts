import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCgroup } from "../../src/memory/cgroup.ts";

/** A control group below the own one with a memory limit, or the reason why there is none. */
export function makeGroup(limitBytes: number): { readonly dir: string } | { readonly reason: string } {
  const own = findCgroup("memory", "/");
  if (own === undefined) return { reason: "no control groups for memory on this machine" };
  const dir = join(own.dir, `widemerge-faults-${process.pid}-${limitBytes}`);
  const file = join(dir, own.version === 2 ? "memory.max" : "memory.limit_in_bytes");
  try {
    mkdirSync(dir);
  } catch (error) {
    return { reason: `cannot make a control group: ${error}` };
  }
  try {
    readFileSync(file);
    writeFileSync(file, String(limitBytes));
    return { dir };
  } catch (error) {
    rmdirSync(dir);
    return { reason: `cannot limit a control group: ${error}` };
  }
}

/** What stands before a program so that it runs inside the group. */
export function enterGroup(dir: string): readonly string[] {
  return ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', dir];
}
