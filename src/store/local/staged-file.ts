import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { checksumOf, combineCrc32c, crc32c, formatCrc32c } from "../crc32c.ts";
import { anotherOutput, outputChanged, outputRemoved } from "../failures.ts";
import { isOwnerDead, newOwner } from "../owner.ts";
import type { OpenFile, SharedOutput, StagedOutput, Written } from "../store.ts";
import { codeOf, openLocal, orMissing, versionOf } from "./file.ts";
import { makeFolder, syncFolder } from "./folder.ts";

/** Gives a file a second name. @throws Error (EEXIST) where the name is taken */
export type MakeLink = (existing: string, name: string) => Promise<void>;

const stagedMark = ".widemerge-";

/** A hidden, unique name beside `path` that says which process made it. */
export function nameStagedFile(path: string): string {
  return join(dirname(path), `.${basename(path)}${stagedMark}${newOwner()}`);
}

/** Stages a file beside `path`, so that publishing it is one rename within one file system. */
export async function stageFile(path: string, durable: boolean, makeLink: MakeLink): Promise<StagedOutput> {
  await makeFolder(dirname(path), durable);
  const staged = nameStagedFile(path);
  return new StagedFile({ path, staged, handle: await open(staged, "wx"), durable, makeLink });
}

interface StagedParts {
  readonly path: string;
  readonly staged: string;
  readonly handle: FileHandle;
  readonly durable: boolean;
  readonly makeLink: MakeLink;
}

class StagedFile implements StagedOutput {
  position = 0;
  readonly shared: SharedOutput;
  #checksum = 0;
  #closed = false;
  readonly #path: string;
  readonly #staged: string;
  readonly #handle: FileHandle;
  readonly #durable: boolean;
  readonly #makeLink: MakeLink;

  constructor({ path, staged, handle, durable, makeLink }: StagedParts) {
    this.#makeLink = makeLink;
    this.#path = path;
    this.#staged = staged;
    this.#handle = handle;
    this.#durable = durable;
    this.shared = {
      descriptor: handle.fd,
      reserve: (length) => {
        this.position += length;
      },
      addSum: (sum, length) => {
        this.#checksum = combineCrc32c(this.#checksum, sum, length);
      },
    };
  }

  async write(bytes: Uint8Array, known?: number): Promise<void> {
    const start = this.position;
    this.position += bytes.length;
    this.#checksum =
      known === undefined ? crc32c(bytes, this.#checksum) : combineCrc32c(this.#checksum, known, bytes.length);
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, start + done);
      done += bytesWritten;
    }
  }

  link(): never {
    throw new Error("files of this machine are copied, not linked");
  }

  async finish(): Promise<Written> {
    if (this.#durable) await this.#handle.datasync();
    await this.#close();
    return { size: this.position, crc32c: formatCrc32c(this.#checksum) };
  }

  open(): Promise<OpenFile> {
    return this.#whileThere(openLocal(this.#staged, outputChanged));
  }

  publish(over?: string): Promise<void> {
    return this.#whileThere(this.#giveName(over));
  }

  async #giveName(over: string | undefined): Promise<void> {
    if (over !== undefined && (await versionAt(this.#path)) === over) await rename(this.#staged, this.#path);
    else await this.#publishNew();
    if (this.#durable) await syncFolder(dirname(this.#path));
  }

  /** Names the removal of the staged file, or of its folder, by another program. */
  async #whileThere<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await work;
    } catch (error) {
      throw codeOf(error) === "ENOENT" ? outputRemoved(this.#path, { cause: error }) : error;
    }
  }

  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#staged, { force: true });
  }

  /** A hard link fails where a rename would overwrite. */
  async #publishNew(): Promise<void> {
    try {
      await this.#makeLink(this.#staged, this.#path);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      if (!(await this.#isPublished())) throw anotherOutput(this.#path);
    }
    await rm(this.#staged, { force: true });
  }

  async #isPublished(): Promise<boolean> {
    const other = await openLocal(this.#path);
    try {
      return other.size === this.position && (await checksumOf(other)) === formatCrc32c(this.#checksum);
    } finally {
      await other.close();
    }
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}

async function versionAt(path: string): Promise<string | undefined> {
  const stats = await orMissing(stat(path, { bigint: true }));
  return stats === undefined ? undefined : versionOf(stats);
}

/** Removes staged files of `path` whose writer is dead. Returns how many. */
export async function sweepStagedFiles(path: string): Promise<number> {
  const folder = dirname(path);
  const prefix = `.${basename(path)}${stagedMark}`;
  const names = await readdir(folder).catch(() => []);
  const removed = await Promise.all(
    names
      .filter((name) => name.startsWith(prefix))
      .map((name) => removeDead(join(folder, name), name.slice(prefix.length))),
  );
  return removed.filter(Boolean).length;
}

/** Removes a staged file if its owner is dead. Returns whether it did. */
async function removeDead(path: string, owner: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || !isOwnerDead(owner, stats.mtimeMs)) return false;
  await rm(path, { force: true });
  return true;
}
