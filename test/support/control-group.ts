/** Control groups for tests of memory limits. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCgroup } from "../../src/memory/cgroup.ts";

/**
 * Makes a control group with a memory limit below this process's own group, where a limit can only be lower. The caller removes
 * its folder. Returns the reason instead if this machine allows no such group.
 */
export function makeGroup(limitBytes: number): { readonly dir: string } | { readonly reason: string } {
  const own = findCgroup("memory", "/");
  if (own === undefined) return { reason: "no control groups for memory on this machine" };
  const dir = join(own.dir, `widemerge-test-${process.pid}-${limitBytes}`);
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

/** The words to put before a command so that it runs inside the group. */
export function enterGroup(dir: string): readonly string[] {
  return ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', dir];
}
