import { spawnSync } from "node:child_process";
import type { TestContext } from "node:test";

/** Mounts a tmpfs with these options on a folder, until the test is over; undefined where this user may not. */
export function mountTmpfs(context: Pick<TestContext, "after">, folder: string, options: string): string | undefined {
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", options, "widemerge-test", folder]);
  if (mounted.status !== 0) return undefined;
  context.after(() => spawnSync("umount", ["--lazy", folder]));
  return folder;
}
