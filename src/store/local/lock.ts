import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { isOwnerDead, newOwner } from "../owner.ts";
import { orMissing } from "./file.ts";
import { makeFolder } from "./folder.ts";

/** A document is written in a few milliseconds. */
const waitMilliseconds = 20;
/** After 10 seconds in all, the holder of the lock is stuck. */
const waitsAtMost = 500;
/** An empty lock of this age was left by a process that was killed before it wrote its name. */
const unsignedMilliseconds = 5000;

/** Does `work` while no other process has the lock of `path`, a file beside it. `durable`: the folder survives a power cut. */
export async function withLock<Value>(path: string, durable: boolean, work: () => Promise<Value>): Promise<Value> {
  await makeFolder(dirname(path), durable);
  const lock = lockOf(path);
  await acquire(lock);
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** Removes the lock that a killed writer of `path` left. Returns how many there were. */
export async function sweepLock(path: string): Promise<number> {
  return (await removeIfDead(lockOf(path))) ? 1 : 0;
}

function lockOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.lock`);
}

async function acquire(lock: string): Promise<void> {
  for (let round = 0; round < waitsAtMost; round += 1) {
    try {
      return await writeFile(lock, newOwner(), { flag: "wx" });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
        // The file was made, and then the disk had no room for its content.
        await rm(lock, { force: true }).catch(() => undefined);
        throw error;
      }
      await removeIfDead(lock);
      await setTimeout(waitMilliseconds);
    }
  }
  const what = `another process does not release a lock: ${lock}`;
  throw new Failure(ExitCode.transient, [{ what, fix: "check which process holds it, or remove the file" }]);
}

/** A holder that was killed leaves its lock behind. */
async function removeIfDead(lock: string): Promise<boolean> {
  const [owner, stats] = await Promise.all([orMissing(readFile(lock, "utf8")), orMissing(stat(lock))]);
  if (owner === undefined || stats === undefined) return false;
  const dead = owner === "" ? Date.now() - stats.mtimeMs > unsignedMilliseconds : isOwnerDead(owner, stats.mtimeMs);
  if (dead) await rm(lock, { force: true });
  return dead;
}
