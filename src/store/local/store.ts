import { type BigIntStats, constants } from "node:fs";
import { access, mkdir, readdir, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { formatCount, formatNumber } from "../../model/units.ts";
import { inputChanged } from "../failures.ts";
import {
  type FolderContent,
  type ListedVersion,
  noTraffic,
  type OpenFile,
  type Store,
  type StoredFile,
} from "../store.ts";
import { changeTimeOf, kindOf, openAny, openLocal, orMissing, versionOf } from "./file.ts";
import { sweepLock, withLock } from "./lock.ts";
import { nameStagedFile, stageFile, sweepStagedFiles } from "./staged-file.ts";

/**
 * Folders of this machine. A durable store flushes to disk before it gives a file its final name, so that no power cut
 * can remove a file that a manifest describes.
 */
export function createLocalStore(durable: boolean): Store {
  return {
    join,
    isRemote: () => false,
    list: async (folder) => (await listAll(folder))?.files,
    listAll,
    listFolders: async (folder) => (await listAll(folder))?.folders,
    stat: describe,
    open: openPinned,
    findChange,
    readText: (path) => orMissing(readFile(path, "utf8")),
    writeText: (path, text) => writeText(path, text, durable),
    writeTextIf: (path, text, expected) =>
      withLock(path, async () => {
        if ((await describe(path))?.version !== expected) return false;
        await writeText(path, text, durable);
        return true;
      }),
    remove: removeFile,
    stage: (path) => stageFile(path, durable),
    sweep,
    canLink: async () => "files of this machine are copied",
    checkWritable,
    freeBytes,
    traffic: () => noTraffic,
  };
}

/** The durable store. */
export const localStore: Store = createLocalStore(true);

/** A symbolic link is what it leads to. */
async function listAll(folder: string): Promise<FolderContent | undefined> {
  const entries = await orMissing(readdir(folder));
  if (entries === undefined) return undefined;
  const found = await Promise.all(entries.sort().map(async (name) => ({ name, ...(await look(join(folder, name))) })));
  return {
    files: found.flatMap(({ file }) => file ?? []),
    folders: found.flatMap(({ name, isFolder }) => (isFolder ? [name] : [])),
    others: found.flatMap(({ name, file, isFolder }) => (file === undefined && !isFolder ? [name] : [])),
  };
}

async function look(path: string): Promise<{ readonly file: StoredFile | undefined; readonly isFolder: boolean }> {
  const stats = await orMissing(stat(path, { bigint: true }));
  return { file: stats && (await describeFile(path, stats)), isFolder: stats?.isDirectory() ?? false };
}

async function describe(path: string): Promise<StoredFile | undefined> {
  return (await look(path)).file;
}

async function describeFile(path: string, stats: BigIntStats): Promise<StoredFile | undefined> {
  if (!stats.isFile()) return undefined;
  const changeTime = await changeTimeOf(path, stats);
  return { name: basename(path), path, size: Number(stats.size), version: versionOf(stats), ...changeTime };
}

async function openPinned(listed: ListedVersion): Promise<OpenFile> {
  const opened = await orMissing(openLocal(listed.path));
  if (opened === undefined) throw inputChanged(listed.path, noFile);
  const change = compareVersions(listed, opened);
  if (change === undefined) return opened;
  await opened.close();
  throw inputChanged(listed.path, change);
}

/** Opens the file, because over NFS only that asks the server (close-to-open consistency). */
async function findChange(listed: ListedVersion): Promise<string | undefined> {
  const found = await orMissing(openAny(listed.path));
  try {
    if (found === undefined) return noFile;
    const file = await describeFile(listed.path, found.stats);
    return file === undefined ? kindOf(found.stats) : compareVersions(listed, file);
  } finally {
    await found?.handle.close();
  }
}

const noFile = "no such file";

/** How a file differs from what was listed: first in what a reader understands best. */
function compareVersions(listed: ListedVersion, found: Omit<ListedVersion, "path">): string | undefined {
  if (found.size !== listed.size) return `${formatNumber(found.size, "byte")}, listed were ${formatCount(listed.size)}`;
  if (found.version !== listed.version) return `version ${found.version}, listed was ${listed.version}`;
  if (listed.changeTime === undefined || found.changeTime === listed.changeTime) return undefined;
  return `change time ${found.changeTime}, listed was ${listed.changeTime}`;
}

async function writeText(path: string, text: string | Uint8Array, durable: boolean): Promise<void> {
  const staged = nameStagedFile(path);
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(staged, text, { flush: durable });
    await rename(staged, path);
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}

async function removeFile(path: string, version?: string): Promise<void> {
  if (version !== undefined && (await describe(path))?.version !== version) return;
  await rm(path, { force: true });
}

async function sweep(...paths: readonly string[]): Promise<number> {
  const swept = await Promise.all(paths.flatMap((path) => [sweepStagedFiles(path), sweepLock(path)]));
  return swept.reduce((sum, count) => sum + count, 0);
}

/** Makes nothing: writers make their folders themselves, and a check must leave no trace. */
async function checkWritable(folder: string): Promise<string | undefined> {
  const place = await findExisting(folder);
  try {
    if (!(await stat(place)).isDirectory()) return `ENOTDIR: not a folder, ${place}`;
    await access(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The folder, or the nearest one above it that exists. */
async function findExisting(folder: string): Promise<string> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  );
  const above = dirname(folder);
  return exists || above === folder ? folder : findExisting(above);
}

async function freeBytes(folder: string): Promise<number> {
  const stats = await statfs(await findExisting(folder));
  return stats.bavail * stats.bsize;
}
