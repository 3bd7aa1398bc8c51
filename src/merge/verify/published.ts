import * as v from "valibot";
import { completeSettings } from "../../model/comparison.ts";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure, type Problem } from "../../model/failure.ts";
import { Pair } from "../../model/names.ts";
import { manifestBeside } from "../../model/output-names.ts";
import type { Manifest, Verification } from "../../model/result.ts";
import type { VerifyLevel } from "../../model/settings.ts";
import { checksumOf } from "../../store/crc32c.ts";
import type { OpenFile, StoredFile } from "../../store/store.ts";
import { type Context, openPair } from "../context.ts";
import { readUnchanged } from "../inspect/changed-inputs.ts";
import { readManifest } from "../publish/manifest.ts";
import { findSources, type SourceFolder } from "./sources.ts";
import { type Expectation, verifyOutput } from "./verify.ts";

/** What `widemerge verify` is asked for. */
export interface VerifyRequest {
  /** A pair, or the path of a Parquet file. */
  readonly target: string;
  readonly level: VerifyLevel;
  /** Folder of the outputs of pairs. */
  readonly output: string;
  readonly sources: SourceFolder;
}

/**
 * Verifies a published output with the manifest beside it, or the structure of any Parquet file. Key, names of columns and
 * duplicate policy are those of the manifest.
 * @throws Failure (input) when the file, its manifest or its sources are missing, or when a source has changed
 */
export async function verifyPublished(context: Context, request: VerifyRequest): Promise<Verification> {
  const { store } = context;
  const { level } = request;
  const { output, manifest: manifestPath } = locate(context, request);
  const file = await store.stat(output);
  if (file === undefined) {
    const what = `nothing to verify: no file ${output}`;
    throw new Failure(ExitCode.input, [{ what, fix: "check --output and the name" }]);
  }
  const manifest = manifestPath === undefined ? undefined : await readManifest(store, manifestPath);
  if (manifest === undefined && level !== "structure") throw noManifest(output, manifestPath);
  const expected = manifest === undefined ? undefined : await expect(context, manifest, request);
  const opened = await store.open(file);
  try {
    const own = manifest === undefined ? [] : await compareWithManifest(manifest, { file, opened }, level);
    const inputs = (expected?.tables ?? []).map((table) => table.file);
    const verification = await readUnchanged(context, inputs, () =>
      verifyOutput(context, { path: output, opened }, expected, level),
    );
    return { ...verification, problems: [...verification.problems, ...own] };
  } finally {
    await opened.close();
  }
}

/** Where the output is and, if it can have one, its manifest. */
function locate(context: Context, { target, output }: VerifyRequest): { output: string; manifest: string | undefined } {
  return v.is(Pair, target)
    ? openPair(context, target, output).paths
    : { output: target, manifest: manifestBeside(target) };
}

function noManifest(output: string, manifest: string | undefined): Failure {
  const what = `${output} has no manifest that this version can read, so its sources are unknown`;
  const place = manifest === undefined ? "" : ` in ${manifest}`;
  const fix = `put its manifest beside it${place}, or use --level structure`;
  return new Failure(ExitCode.input, [{ what, fix }]);
}

/** What the manifest promises, with the sources where they are now; without them where they are not read. */
async function expect(context: Context, manifest: Manifest, request: VerifyRequest): Promise<Expectation> {
  const { key, targets, duplicates, keyCast } = completeSettings(manifest.settings);
  const names = manifest.inputs.flatMap((input) => input.columns.map(({ output }) => output));
  const shape = {
    rows: manifest.rows,
    rowGroups: manifest.rowGroups,
    columns: [key, ...names],
    key,
    duplicates,
    keyCast,
  };
  if (request.level === "structure") return { ...shape, tables: [] };
  const sources = await findSources(context, manifest, request.sources);
  const tables = sources.map(({ input, file }) => ({
    file,
    isTargets: input.table === targets,
    action: input.action,
    columns: input.columns,
    key: input.key ?? key,
  }));
  return { ...shape, tables };
}

/** Whether the file is the one that the manifest describes: its size and, on level full, its checksum. */
async function compareWithManifest(
  { output }: Manifest,
  { file, opened }: { readonly file: StoredFile; readonly opened: OpenFile },
  level: VerifyLevel,
): Promise<Problem[]> {
  if (file.size !== output.size) return [otherFile(`${file.size} bytes, the manifest says ${output.size}`)];
  if (level !== "full") return [];
  const crc32c = file.crc32c ?? (await checksumOf(opened));
  return crc32c === output.crc32c ? [] : [otherFile(`CRC32C ${crc32c}, the manifest says ${output.crc32c}`)];
}

function otherFile(found: string): Problem {
  const what = "the output is not the file that its manifest describes";
  return { what, found, fix: "merge the pair again with --replace" };
}
