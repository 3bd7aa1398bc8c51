import { type BigIntStats, readSync } from "node:fs";
import { open } from "node:fs/promises";
import type { LocalFile } from "../store.ts";

/** Modification time in nanoseconds and inode: a rewritten file has another, also within the same second. */
export function versionOf(stats: BigIntStats): string {
  return `${stats.mtimeNs}-${stats.ino}`;
}

/** Opens a file for positioned reads. */
export async function openLocal(path: string): Promise<LocalFile> {
  const handle = await open(path, "r");
  const stats = await handle.stat({ bigint: true });
  const size = Number(stats.size);
  return {
    isRemote: false,
    size,
    version: versionOf(stats),
    descriptor: handle.fd,
    read: (start, length, into = Buffer.allocUnsafeSlow(length)) =>
      readFully(handle.read.bind(handle), path, start, length, into),
    peek: (start, length) => {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - start)));
      return bytes.subarray(0, readSync(handle.fd, bytes, 0, bytes.length, start));
    },
    close: () => handle.close(),
  };
}

/** Reads from a file that another thread has open. Synchronous: a thread that gathers has nothing else to do. */
export function readDescriptor(descriptor: number, start: number, length: number, into: Uint8Array): Uint8Array {
  for (let done = 0; done < length; ) {
    const bytesRead = readSync(descriptor, into, done, length - done, start + done);
    if (bytesRead === 0)
      throw new Error(`a file ends at byte ${start + done}, ${length - done} bytes before it should`);
    done += bytesRead;
  }
  return into.length === length ? into : into.subarray(0, length);
}

type PositionedRead = (
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>;

async function readFully(
  read: PositionedRead,
  path: string,
  start: number,
  length: number,
  into: Uint8Array,
): Promise<Uint8Array> {
  for (let done = 0; done < length; ) {
    const { bytesRead } = await read(into, done, length - done, start + done);
    if (bytesRead === 0)
      throw new Error(`${path} ends at byte ${start + done}, ${length - done} bytes before it should`);
    done += bytesRead;
  }
  return into.length === length ? into : into.subarray(0, length);
}

/** The value, or undefined where there is no such file. */
export async function orMissing<Value>(found: Promise<Value>): Promise<Value | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw error;
  }
}
