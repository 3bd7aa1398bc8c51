import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { checksumOf } from "../checksum.ts";
import { combineCrc32c, crc32c, formatCrc32c } from "../crc32c.ts";
import { overtaken } from "../overtaken.ts";
import { isOwnerDead, newOwner } from "../owner.ts";
import type { OpenFile, Stage, Written } from "../store.ts";
import { openLocal, orMissing, versionOf } from "./file.ts";

const stageMark = ".widemerge-";

/** A name beside `path` that is hidden, unique, and tells which process made it. */
export function uniqueName(path: string): string {
  return join(dirname(path), `.${basename(path)}${stageMark}${newOwner()}`);
}

/** Stages a file beside `path`, so that publishing it is one rename on one file system. */
export async function createLocalStage(path: string, durable: boolean): Promise<Stage> {
  await mkdir(dirname(path), { recursive: true });
  const staged = uniqueName(path);
  return new LocalStage(path, staged, await open(staged, "wx"), durable);
}

class LocalStage implements Stage {
  position = 0;
  private checksum = 0;
  private readonly path: string;
  private readonly staged: string;
  private readonly handle: FileHandle;
  private readonly durable: boolean;
  private closed = false;

  constructor(path: string, staged: string, handle: FileHandle, durable: boolean) {
    this.path = path;
    this.staged = staged;
    this.handle = handle;
    this.durable = durable;
  }

  async write(bytes: Uint8Array, known?: number): Promise<void> {
    const start = this.position;
    this.position += bytes.length;
    this.checksum =
      known === undefined ? crc32c(bytes, this.checksum) : combineCrc32c(this.checksum, known, bytes.length);
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, start + done);
      done += bytesWritten;
    }
  }

  async finish(): Promise<Written> {
    if (this.durable) await this.handle.datasync();
    await this.close();
    return { size: this.position, crc32c: formatCrc32c(this.checksum) };
  }

  open(): Promise<OpenFile> {
    return openLocal(this.staged);
  }

  async publish(over?: string): Promise<void> {
    if (over !== undefined && (await versionAt(this.path)) === over) await rename(this.staged, this.path);
    else await this.publishNew();
    if (this.durable) await syncFolder(dirname(this.path));
  }

  async discard(): Promise<void> {
    await this.close();
    await rm(this.staged, { force: true });
  }

  /** A link fails where a rename would overwrite. */
  private async publishNew(): Promise<void> {
    try {
      await link(this.staged, this.path);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      if (!(await this.isThereAlready())) throw overtaken(this.path);
    }
    await rm(this.staged, { force: true });
  }

  private async isThereAlready(): Promise<boolean> {
    const other = await openLocal(this.path);
    try {
      return other.size === this.position && (await checksumOf(other)) === formatCrc32c(this.checksum);
    } finally {
      await other.close();
    }
  }

  private async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.handle.close();
  }
}

async function versionAt(path: string): Promise<string | undefined> {
  const found = await orMissing(stat(path, { bigint: true }));
  return found === undefined ? undefined : versionOf(found);
}

/** The new name survives a power cut only once its folder is on disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes staged files of `path` whose writer is dead. Returns how many. */
export async function sweepStages(path: string): Promise<number> {
  const folder = dirname(path);
  const prefix = `.${basename(path)}${stageMark}`;
  const names = await readdir(folder).catch(() => []);
  const staged = names.filter((name) => name.startsWith(prefix));
  const dead = await Promise.all(staged.map((name) => isDead(join(folder, name), name.slice(prefix.length))));
  const leftovers = staged.filter((_, index) => dead[index]);
  await Promise.all(leftovers.map((name) => rm(join(folder, name), { force: true })));
  return leftovers.length;
}

async function isDead(path: string, owner: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && isOwnerDead(owner, found.mtimeMs);
}
