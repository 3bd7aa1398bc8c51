import { constants } from "node:fs";
import { access, mkdir, readdir, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import type { OpenFile, Store, StoredFile } from "../store.ts";
import { openLocal, orMissing, versionOf } from "./file.ts";
import { createLocalStage, sweepStages, uniqueName } from "./stage.ts";
import { swapText, sweepLock } from "./swap.ts";

/**
 * Folders of this machine. A durable store flushes to disk before it gives a file its final name, so that a power cut
 * cannot take what a manifest says is there.
 */
export function createLocalStore(durable: boolean): Store {
  return {
    join,
    list: listFiles,
    listFolders,
    stat: describe,
    open: openPinned,
    readText: (path) => orMissing(readFile(path, "utf8")),
    writeText: (path, text) => writeText(path, text, durable),
    writeTextIf: (path, text, expected) => writeTextIf(path, text, expected, durable),
    remove: removeFile,
    stage: (path) => createLocalStage(path, durable),
    sweep: async (path) => (await sweepStages(path)) + (await sweepLock(path)),
    canLink: () => "folders of this machine are copied",
    checkWritable,
    freeBytes,
    traffic: () => undefined,
  };
}

/** The durable one. */
export const localStore: Store = createLocalStore(true);

async function listFiles(folder: string): Promise<readonly StoredFile[] | undefined> {
  const entries = await orMissing(readdir(folder, { withFileTypes: true }));
  if (entries === undefined) return undefined;
  // A link may lead to a file elsewhere; what is not a file in the end is not an input.
  const names = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink()).map((entry) => entry.name);
  const files = await Promise.all(names.sort().map((name) => describe(join(folder, name))));
  return files.filter((file) => file !== undefined);
}

async function listFolders(folder: string): Promise<readonly string[] | undefined> {
  const entries = await orMissing(readdir(folder, { withFileTypes: true }));
  if (entries === undefined) return undefined;
  const isFolder = async (name: string): Promise<boolean> =>
    (await orMissing(stat(join(folder, name))))?.isDirectory() ?? false;
  const names = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name);
  const checked = await Promise.all(names.sort().map(async (name) => ((await isFolder(name)) ? [name] : [])));
  return checked.flat();
}

async function describe(path: string): Promise<StoredFile | undefined> {
  const found = await orMissing(stat(path, { bigint: true }));
  if (found === undefined || !found.isFile()) return undefined;
  return { name: basename(path), path, size: Number(found.size), version: versionOf(found) };
}

async function openPinned(file: { readonly path: string; readonly version: string }): Promise<OpenFile> {
  const opened = await orMissing(openLocal(file.path));
  if (opened?.version === file.version) return opened;
  await opened?.close();
  const problem = {
    what: `${file.path} is not what it was`,
    found: opened === undefined ? "no such file" : `version ${opened.version} after ${file.version}`,
    fix: "wait until the extraction is over, then merge again",
  };
  throw new Failure(ExitCode.input, [problem]);
}

async function writeText(path: string, text: string | Uint8Array, durable: boolean): Promise<void> {
  const staged = uniqueName(path);
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(staged, text, { flush: durable });
    await rename(staged, path);
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}

async function writeTextIf(
  path: string,
  text: string,
  expected: string | undefined,
  durable: boolean,
): Promise<boolean> {
  const isExpected = async (): Promise<boolean> => (await describe(path))?.version === expected;
  return swapText(path, isExpected, () => writeText(path, text, durable));
}

async function removeFile(path: string, version?: string): Promise<void> {
  if (version !== undefined && (await describe(path))?.version !== version) return;
  await rm(path, { force: true });
}

/** Nothing is made: writers make their folders themselves, and a look must leave no trace. */
async function checkWritable(folder: string): Promise<string | undefined> {
  const place = await findPlace(folder);
  try {
    if (!(await stat(place)).isDirectory()) return `ENOTDIR: not a folder, ${place}`;
    await access(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The folder, or the nearest one above it that is there. */
async function findPlace(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  const above = dirname(folder);
  return isThere || above === folder ? folder : findPlace(above);
}

async function freeBytes(folder: string): Promise<number | undefined> {
  const found = await statfs(await findPlace(folder));
  return found.bavail * found.bsize;
}
