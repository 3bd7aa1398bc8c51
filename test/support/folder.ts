import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** A folder of its own for a test file, removed when its tests are over. */
export async function scratchFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `widemerge-${name}-`));
  after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
