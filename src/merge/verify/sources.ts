import { basename, dirname } from "node:path";
import pMap from "p-map";
import { tableSuffix } from "../../model/checkpoint.ts";
import { ExitCode } from "../../model/exit-code.ts";
import { failOn, type Problem } from "../../model/failure.ts";
import type { ListedInput } from "../../model/plan.ts";
import type { Manifest, ManifestInput } from "../../model/result.ts";
import { toAbsolute } from "../../model/storage-path.ts";
import { checksumOf } from "../../store/crc32c.ts";
import type { Store, StoredFile } from "../../store/store.ts";
import { remoteTablesAtOnce, tablesAtOnce } from "../budget.ts";
import type { Context } from "../context.ts";

/** A folder of checkpoints, in which sources are looked for as `<pair>/<table>.parquet`. */
export interface SourceFolder {
  readonly path: string;
  /** Whether the folder goes before the paths in the manifest: it was asked for. Otherwise it comes after them. */
  readonly comesFirst: boolean;
}

/** A source of the output, and the file that it is now. */
export interface Source {
  readonly input: ManifestInput;
  readonly file: ListedInput;
}

/**
 * Finds the sources of an output. A file of another version than the manifest's, such as a copy, is the same source if
 * its size and CRC32C are the same.
 * @throws Failure (input) with every source that is missing or has changed
 */
export async function findSources(
  { store, port }: Context,
  { pair, inputs }: Manifest,
  folder: SourceFolder,
): Promise<readonly Source[]> {
  const paths = inputs.map((input) => {
    const name = basename(dirname(input.path)) || pair;
    const other = store.join(folder.path, name, `${input.table}${tableSuffix}`);
    return { input, paths: folder.comesFirst ? [other] : [...new Set([input.path, other])] };
  });
  const remote = paths.some((entry) => entry.paths.some((path) => store.isRemote(path)));
  const sources = await pMap(
    paths,
    async (entry) => {
      port.signal.throwIfAborted();
      const file = await findFirst(store, entry.paths);
      const problem = file === undefined ? missing(entry.input, entry.paths) : await compare(store, entry.input, file);
      return { problem, source: file && { input: entry.input, file: toInput(entry.input, file) } };
    },
    { concurrency: remote ? remoteTablesAtOnce : tablesAtOnce },
  );
  failOn(
    ExitCode.input,
    sources.flatMap(({ problem }) => problem ?? []),
  );
  return sources.flatMap(({ source }) => source ?? []);
}

async function findFirst(store: Store, paths: readonly string[]): Promise<StoredFile | undefined> {
  for (const path of paths) {
    const file = await store.stat(path);
    if (file !== undefined) return file;
  }
  return undefined;
}

function toInput({ table }: ManifestInput, { path, size, version, changeTime }: StoredFile): ListedInput {
  return { table, path, size, version, ...(changeTime !== undefined && { changeTime }) };
}

function missing({ table }: ManifestInput, paths: readonly string[]): Problem {
  const what = `the source is missing: no file ${paths.join(" or ")}`;
  return { what, fix: "name the folder of the checkpoints with --input, or use --level structure", table };
}

/** Why the file is not the source that the manifest describes; undefined where it is. */
async function compare(store: Store, input: ManifestInput, file: StoredFile): Promise<Problem | undefined> {
  if (toAbsolute(file.path) === toAbsolute(input.path) && file.version === input.version && file.size === input.size)
    return undefined;
  if (file.size !== input.size) return changed(file, input, `${file.size} bytes, the manifest says ${input.size}`);
  const crc32c = file.crc32c ?? (await readChecksum(store, file));
  if (crc32c === input.crc32c) return undefined;
  return changed(file, input, `CRC32C ${crc32c}, the manifest says ${input.crc32c}`);
}

async function readChecksum(store: Store, file: StoredFile): Promise<string> {
  const opened = await store.open(file);
  try {
    return await checksumOf(opened);
  } finally {
    await opened.close();
  }
}

function changed({ path }: StoredFile, { table }: ManifestInput, found: string): Problem {
  const what = `the source changed since the merge: ${path}`;
  return {
    what,
    found,
    fix: "name the folder of the original checkpoints with --input, or merge the pair again",
    table,
  };
}
