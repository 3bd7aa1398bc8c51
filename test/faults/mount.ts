import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new tmpfs with these options, until the test is over; undefined where this user may not mount one. */
export function mountTmpfs(context: { after(remove: () => void): void }, options: string): string | undefined {
  return mount(context, "tmpfs", options);
}

/** A new file system of this type, until the test is over; undefined where this user may not mount one. */
export function mount(
  context: { after(remove: () => void): void },
  type: "tmpfs" | "mqueue",
  options = "rw",
): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), `widemerge-${type}-`));
  const mounted = run("mount", "-t", type, "-o", options, "widemerge-test", folder);
  context.after(() => {
    if (mounted) run("umount", "--lazy", folder);
    rmdirSync(folder);
  });
  return mounted ? folder : undefined;
}

function run(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args).status === 0;
}
