import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { ExitCode } from "../contract/exit.ts";
import { Failure } from "../contract/failure.ts";
import { combineCrc32c, crc32c } from "./crc32c.ts";
import { openLocal } from "./local-file.ts";
import type { OpenFile, Stage, Written } from "./store.ts";

/** A writer on another machine is taken for dead when its file has not grown for this long. */
const staleMilliseconds = 60 * 60 * 1000;
const stageMark = ".widemerge-";
/** Tells this process from an earlier one with its number: in a container that restarts, numbers repeat. */
const processToken = readStart(process.pid) ?? randomBytes(4).toString("hex");

/** A name beside `path` that is hidden, unique, and tells which process made it. */
export function uniqueName(path: string): string {
  const owner = `${hostToken()}-${process.pid}-${processToken}`;
  return join(dirname(path), `.${basename(path)}${stageMark}${owner}-${randomBytes(4).toString("hex")}`);
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
    return { size: this.position, crc32c: this.checksum.toString(16).padStart(8, "0") };
  }

  open(): Promise<OpenFile> {
    return openLocal(this.staged);
  }

  async publish(replace: boolean): Promise<void> {
    if (replace) await rename(this.staged, this.path);
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
      const problem = {
        what: "the output appeared while it was being made",
        found: this.path,
        fix: "see who else merges this pair; run again to compare, or with --replace",
      };
      throw new Failure(ExitCode.input, [problem]);
    }
    await rm(this.staged, { force: true });
  }

  private async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.handle.close();
  }
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
  const [host, pid, token] = owner.split("-");
  if (host === hostToken()) return !isAlive(Number(pid), token);
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > staleMilliseconds;
}

function hostToken(): string {
  return hostname().replace(/[^A-Za-z0-9]/g, "");
}

/** Whether the process that made a name still runs: its number may be another's by now. */
function isAlive(pid: number, token: string | undefined): boolean {
  if (pid === process.pid) return token === processToken;
  const start = readStart(pid);
  if (start !== undefined) return start === token;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * When a process started, in clock ticks since boot; "ended" for one that nobody has waited for yet (an orphan stays so
 * in a container whose first process does not reap). Undefined where the system does not tell. proc(5), stat: the
 * fields from the third on follow the last parenthesis.
 */
function readStart(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? "ended" : fields[19];
  } catch {
    return undefined;
  }
}
