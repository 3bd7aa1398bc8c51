import { type BigIntStats, constants, readSync, writeSync } from "node:fs";
import { type FileHandle, open, statfs } from "node:fs/promises";
import { inputChanged } from "../failures.ts";
import type { ListedVersion, LocalFile } from "../store.ts";

/** Modification time in nanoseconds and inode: a rewritten file has another, also within the same second. */
export function versionOf(stats: BigIntStats): string {
  return `${stats.mtimeNs}-${stats.ino}`;
}

/**
 * File systems whose change time the kernel or the server sets at every change (statfs(2), `f_type`): ext2 to ext4, XFS,
 * Btrfs, tmpfs, overlayfs, ZFS, F2FS, NFS. Others may make one up, or keep the time of creation in its place.
 */
const keepsChangeTime: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010, 0x6969,
]);

/** By device: whether its file system keeps change times. */
const devices = new Map<bigint, Promise<boolean>>();

/** The time of the last change, where it can be trusted. */
export async function changeTimeOf(path: string, stats: BigIntStats): Promise<Pick<ListedVersion, "changeTime">> {
  const known = devices.get(stats.dev) ?? hasChangeTimes(path);
  devices.set(stats.dev, known);
  return (await known) ? { changeTime: String(stats.ctimeNs) } : {};
}

async function hasChangeTimes(path: string): Promise<boolean> {
  const { type } = await statfs(path).catch(() => ({ type: 0 }));
  return keepsChangeTime.has(type);
}

/** In words, what is there in place of a regular file. */
export function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  if (stats.isBlockDevice() || stats.isCharacterDevice()) return "a device";
  return "a file";
}

/** An open file of this machine with its change time, where that can be trusted. */
type OpenedFile = LocalFile & Pick<ListedVersion, "path" | "changeTime">;

/**
 * Opens a file for positioned reads. `onShort`: the failure of a read beyond its end, of an input that changed unless given.
 * @throws Failure (input) when the path does not lead to a regular file
 */
export async function openLocal(path: string, onShort = inputChanged): Promise<OpenedFile> {
  const { handle, stats } = await openAny(path);
  if (!stats.isFile()) {
    await handle.close();
    throw inputChanged(path, kindOf(stats));
  }
  const size = Number(stats.size);
  return {
    isRemote: false,
    path,
    size,
    version: versionOf(stats),
    ...(await changeTimeOf(path, stats)),
    descriptor: handle.fd,
    read: (start, length, into = Buffer.allocUnsafeSlow(length)) =>
      readFully(handle, { start, length, into }, (found) => onShort(path, found)),
    peek: (start, length) => {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - start)));
      return bytes.subarray(0, readSync(handle.fd, bytes, 0, bytes.length, start));
    },
    close: () => handle.close(),
  };
}

/** Opens whatever is there, without waiting for another program to open the other end of a FIFO. */
export async function openAny(path: string): Promise<{ readonly handle: FileHandle; readonly stats: BigIntStats }> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { handle, stats: await handle.stat({ bigint: true }) };
}

/** Reads from a file that another thread has open. Synchronous: a thread that transfers a table has nothing else to do. */
export function readDescriptor(descriptor: number, start: number, length: number, into: Uint8Array): Uint8Array {
  for (let done = 0; done < length; ) {
    const bytesRead = readSync(descriptor, into, done, length - done, start + done);
    if (bytesRead === 0)
      throw new Error(`a file ends at byte ${start + done}, ${length - done} bytes before it should`);
    done += bytesRead;
  }
  return into.length === length ? into : into.subarray(0, length);
}

/** Writes into a file that another thread has open. */
export function writeDescriptor(descriptor: number, start: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(descriptor, bytes, done, bytes.length - done, start + done);
}

/** Where `length` bytes from `start` go. */
interface ReadInto {
  readonly start: number;
  readonly length: number;
  readonly into: Uint8Array;
}

async function readFully(
  handle: FileHandle,
  { start, length, into }: ReadInto,
  onShort: (found: string) => Error,
): Promise<Uint8Array> {
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(into, done, length - done, start + done);
    if (bytesRead === 0) throw onShort(`its end at byte ${start + done}, ${length - done} bytes before it should be`);
    done += bytesRead;
  }
  return into.length === length ? into : into.subarray(0, length);
}

/** The value, or undefined where there is no such file. */
export async function orMissing<Value>(found: Promise<Value>): Promise<Value | undefined> {
  try {
    return await found;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
    throw error;
  }
}

/** The code of an error of the system, such as ENOENT; nothing for any other error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
