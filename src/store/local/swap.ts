import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { isOwnerDead, newOwner } from "../owner.ts";
import { orMissing } from "./file.ts";

const waitMilliseconds = 20;
/** A swap takes a few milliseconds; whoever holds the lock longer is stuck. */
const patience = 500;

/** Writes if `isExpected` still holds, with nobody in between; a file beside `path` is the lock. */
export async function swapText(
  path: string,
  isExpected: () => Promise<boolean>,
  write: () => Promise<void>,
): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const lock = lockOf(path);
  await take(lock);
  try {
    if (!(await isExpected())) return false;
    await write();
    return true;
  } finally {
    await rm(lock, { force: true });
  }
}

/** Removes the lock that a killed writer of `path` left; returns how many there were. */
export async function sweepLock(path: string): Promise<number> {
  return (await removeIfDead(lockOf(path))) ? 1 : 0;
}

function lockOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.lock`);
}

async function take(lock: string): Promise<void> {
  for (let round = 0; round < patience; round += 1) {
    try {
      return await writeFile(lock, newOwner(), { flag: "wx" });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
        // Made, and then there was no room for what goes into it.
        await rm(lock, { force: true }).catch(() => undefined);
        throw error;
      }
      await removeIfDead(lock);
      await setTimeout(waitMilliseconds);
    }
  }
  const problem = { what: "a lock is not given back", found: lock, fix: "see which process holds it, or remove it" };
  throw new Failure(ExitCode.transient, [problem]);
}

/** A holder that was killed gives nothing back. */
async function removeIfDead(lock: string): Promise<boolean> {
  const [owner, found] = await Promise.all([orMissing(readFile(lock, "utf8")), orMissing(stat(lock))]);
  if (owner === undefined || found === undefined) return false;
  // An empty lock is being written, or its holder was killed before it could sign.
  const dead = owner === "" ? Date.now() - found.mtimeMs > 5000 : isOwnerDead(owner, found.mtimeMs);
  if (dead) await rm(lock, { force: true });
  return dead;
}
