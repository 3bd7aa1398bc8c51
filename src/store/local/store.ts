import { type BigIntStats, constants } from "node:fs";
import {
  access,
  link,
  lstat,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  statfs,
  unlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
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
import { changeTimeOf, codeOf, kindOf, openAny, openLocal, orMissing, versionOf } from "./file.ts";
import { makeFolder, syncFolder } from "./folder.ts";
import { sweepLock, withLock } from "./lock.ts";
import { type MakeLink, nameStagedFile, stageFile, sweepStagedFiles } from "./staged-file.ts";

/**
 * Folders of this machine. A durable store flushes to disk before it gives a file its final name, so that no power cut
 * can remove a file that a manifest describes. `makeLink`: link(2).
 */
export function createLocalStore(durable: boolean, makeLink: MakeLink = link): Store {
  return {
    join,
    identify,
    isRemote: () => false,
    list: async (folder) => (await listAll(folder))?.files,
    listAll,
    listFolders: async (folder) => (await listAll(folder))?.folders,
    stat: describe,
    open: openPinned,
    findChange,
    findObstacle,
    readText: (path) => orMissing(readFile(path, "utf8")),
    writeText: (path, text) => writeText(path, text, durable),
    writeTextIf: (path, text, expected) =>
      withLock(path, durable, async () => {
        if ((await describe(path))?.version !== expected) return false;
        await writeText(path, text, durable);
        return true;
      }),
    remove: (path, version) => removeFile(path, version, durable),
    stage: (path) => stageFile(path, durable, makeLink),
    sweep,
    canLink: async () => "files of this machine are copied",
    checkWritable,
    checkPublishable: (folder) => checkLinks(folder, makeLink),
    freeBytes,
    traffic: () => noTraffic,
  };
}

/** The durable store. */
export const localStore: Store = createLocalStore(true);

/** A symbolic link is what it leads to. Names are read as bytes, because a name need not be UTF-8. */
async function listAll(folder: string): Promise<FolderContent | undefined> {
  const entries = await orMissing(readdir(folder, { encoding: "buffer" }));
  if (entries === undefined) return undefined;
  const found = await Promise.all(entries.map((name) => look(folder, name)));
  found.sort((left, right) => (left.name < right.name ? -1 : 1));
  return {
    files: found.flatMap(({ file }) => file ?? []),
    folders: found.flatMap(({ name, isFolder, other }) => (isFolder && other === undefined ? [name] : [])),
    others: found.flatMap(({ name, isFolder, other }) =>
      other === undefined ? [] : [{ name, isFolder, what: other }],
    ),
  };
}

/** What has a name in a folder: `other` says in words why it is neither a file nor a folder that can be used. */
interface Look {
  readonly name: string;
  readonly isFolder: boolean;
  readonly file?: StoredFile | undefined;
  readonly other?: string;
}

async function look(folder: string, raw: Buffer): Promise<Look> {
  const name = raw.toString();
  const path = join(folder, name);
  if (!Buffer.from(name).equals(raw)) return lookAtBytes(folder, raw, name);
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isFile()) return { name, isFolder: false, file: await describeFile(path, stats) };
    return { name, isFolder: stats.isDirectory(), ...(!stats.isDirectory() && { other: kindOf(stats) }) };
  } catch (error) {
    const other = brokenLinks[codeOf(error)];
    if (other === undefined) throw error;
    return { name, isFolder: false, other };
  }
}

/** A name that is not UTF-8 cannot go into a manifest, or into a command. */
async function lookAtBytes(folder: string, raw: Buffer, name: string): Promise<Look> {
  const path = Buffer.concat([Buffer.from(join(folder, "/")), raw]);
  const stats = await stat(path).catch(() => undefined);
  const other = `a name that is not UTF-8: hexadecimal ${raw.toString("hex")}`;
  return { name, isFolder: stats?.isDirectory() ?? false, other };
}

async function findObstacle(path: string): Promise<string | undefined> {
  const entry = await orMissing(lstat(path));
  if (entry === undefined) return undefined;
  const { file, isFolder, other } = await look(dirname(path), Buffer.from(basename(path)));
  return file === undefined ? (other ?? (isFolder ? "a folder" : undefined)) : undefined;
}

/** What a name in a folder leads to when it cannot be followed. */
const brokenLinks: Readonly<Record<string, string>> = {
  ENOENT: "a link to nothing",
  ENOTDIR: "a link to nothing",
  ELOOP: "a link that leads back to itself",
};

async function describe(path: string): Promise<StoredFile | undefined> {
  const stats = await orMissing(stat(path, { bigint: true }));
  return stats && describeFile(path, stats);
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
  await makeFolder(dirname(path), durable);
  try {
    await writeFile(staged, text, { flush: durable });
    await rename(staged, path);
    if (durable) await syncFolder(dirname(path));
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}

/** A removal that what follows relies on must not be undone by a power cut. */
async function removeFile(path: string, version: string | undefined, durable: boolean): Promise<void> {
  const there = await describe(path);
  if (version !== undefined && there?.version !== version) return;
  await rm(path, { force: true });
  if (durable && there !== undefined) await syncFolder(dirname(path));
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

/**
 * SMB, FAT, exFAT and some FUSE file systems have no hard links, and say so in different words: only trying tells. The two
 * names are gone again when this returns; a killed process may leave empty ones, which the next check removes.
 */
async function checkLinks(folder: string, makeLink: MakeLink): Promise<string | undefined> {
  const probe = join(await findExisting(resolve(folder)), "probe");
  await sweepStagedFiles(probe);
  const [file, second] = [nameStagedFile(probe), nameStagedFile(probe)];
  try {
    await (await open(file, "wx")).close();
    return await makeLink(file, second).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  } finally {
    await Promise.all([file, second].map((path) => orMissing(unlink(path))));
  }
}

/** Device and inode tell folders apart where names do not: through links, and on disks that ignore case. */
async function identify(folder: string): Promise<readonly string[]> {
  const place = await findExisting(resolve(folder));
  const missing = relative(place, resolve(folder)).split(sep);
  const existing: string[] = [];
  for (let path = await realpath(place); ; path = dirname(path)) {
    const { dev, ino } = await stat(path, { bigint: true });
    existing.push(`${dev}:${ino}`);
    if (path === dirname(path)) break;
  }
  const above = existing[0] ?? "";
  const below = missing[0] === "" ? [] : missing.map((_, index) => [above, ...missing.slice(0, index + 1)].join("/"));
  return [...below.reverse(), ...existing];
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
