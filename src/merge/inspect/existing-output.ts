import { compareWithManifest } from "../../model/comparison.ts";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure, failOn, type Problem } from "../../model/failure.ts";
import type { InputFile } from "../../model/plan.ts";
import type { Manifest } from "../../model/result.ts";
import type { KeyPolicies, OutputSettings } from "../../model/settings.ts";
import { ParquetError, readFooter } from "../../parquet/footer-reader.ts";
import { checksumOf } from "../../store/crc32c.ts";
import type { Store, StoredFile } from "../../store/store.ts";
import type { PairContext } from "../context.ts";
import { readManifest } from "../publish/manifest.ts";
import type { Inventory } from "./inventory.ts";

/** What lies under the output's name before the merge. */
export type ExistingOutput =
  | { readonly state: "none" }
  /** May be replaced: `--replace` was given. */
  | { readonly state: "replaceable"; readonly version: string; readonly manifestVersion: string | undefined }
  /** Published but without its manifest: this merge may finish it when its plan has this digest. */
  | { readonly state: "unfinished"; readonly version: string; readonly digest: string }
  /** Made from the same inputs with the same settings. */
  | { readonly state: "done"; readonly manifest: Manifest };

/**
 * Looks for an output that was made before. Inputs are the same when size and version are, or else when their bytes
 * are (CRC32C), so that a copied checkpoint does not count as a new one.
 * @throws Failure (input) when there is an output from something else and `replace` is off.
 */
export async function findExisting(
  context: PairContext,
  inventory: Inventory,
  settings: OutputSettings & KeyPolicies & { readonly replace: boolean },
): Promise<ExistingOutput> {
  const { store, paths } = context;
  failOn(ExitCode.input, await findObstacles(store, [paths.output, paths.manifest]));
  const file = await store.stat(paths.output);
  if (file === undefined) return { state: "none" };
  const manifestVersion = (await store.stat(paths.manifest))?.version;
  const manifest = await readManifest(store, paths.manifest);
  if (manifest !== undefined) {
    const difference = await findDifference(store, manifest, { file, inventory, settings });
    if (difference === undefined) return { state: "done", manifest };
    if (!settings.replace) throw refuseOutput(paths.output, difference);
  }
  if (settings.replace) return { state: "replaceable", version: file.version, manifestVersion };
  const digest = await readDigest(store, file);
  if (digest !== undefined) return { state: "unfinished", version: file.version, digest };
  const what = `the output exists without a manifest, so its inputs are unknown: ${paths.output}`;
  throw new Failure(ExitCode.input, [{ what, fix: moveAway }]);
}

/** What has the name of an output or manifest and can be neither read nor replaced. */
async function findObstacles(store: Store, paths: readonly string[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const path of paths) {
    const found = await store.findObstacle(path);
    if (found !== undefined)
      problems.push({ what: `something else has the name of a file to write: ${path}`, found, fix: "move it away" });
  }
  return problems;
}

const moveAway = "move it away, or pass --replace";

/** The refusal to touch an output that another merge made; `found`: in what it differs, where that is known. */
export function refuseOutput(output: string, found?: string): Failure {
  const what = `the output exists, made from other inputs or settings: ${output}`;
  return new Failure(ExitCode.input, [{ what, ...(found === undefined ? {} : { found }), fix: moveAway }]);
}

/** What is in the store now. */
interface Present {
  readonly file: Pick<StoredFile, "size" | "crc32c">;
  readonly inventory: Inventory;
  readonly settings: OutputSettings & KeyPolicies;
}

/** In what the manifest differs from these inputs and settings; undefined when it describes them. */
async function findDifference(
  store: Store,
  manifest: Manifest,
  { file, inventory, settings }: Present,
): Promise<string | undefined> {
  const { targets, features } = inventory;
  const tables = targets === undefined ? features : [targets, ...features];
  const comparison = compareWithManifest(manifest, {
    inputs: tables.map((table) => table.file),
    outputBytes: file.size,
    outputCrc32c: file.crc32c,
    settings,
  });
  if (comparison.verdict === "other") return comparison.why;
  if (comparison.verdict === "same") return undefined;
  const before = new Map(manifest.inputs.map((input) => [input.table, input.crc32c]));
  for (const input of comparison.inputs)
    if ((await readChecksum(store, input)) !== before.get(input.table))
      return `${input.table} has changed since the merge`;
  return undefined;
}

/** A run that was killed between publishing the file and writing its manifest left its plan's digest in the footer. */
async function readDigest(store: Store, file: StoredFile): Promise<string | undefined> {
  const opened = await store.open(file);
  try {
    return (await readFooter(opened)).footer.keyValues["widemerge.digest"];
  } catch (error) {
    if (error instanceof ParquetError) return undefined;
    throw error;
  } finally {
    await opened.close();
  }
}

async function readChecksum(store: Store, file: InputFile): Promise<string> {
  if (file.crc32c !== undefined) return file.crc32c;
  const opened = await store.open(file);
  try {
    return await checksumOf(opened);
  } finally {
    await opened.close();
  }
}
