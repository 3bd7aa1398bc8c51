import { compareWithManifest } from "../../model/comparison.ts";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import type { InputFile } from "../../model/plan.ts";
import type { Manifest } from "../../model/result.ts";
import { ParquetError, readFooter } from "../../parquet/footer-reader.ts";
import { checksumOf } from "../../store/checksum.ts";
import type { StoredFile } from "../../store/store.ts";
import { type Job, outputPaths } from "../job.ts";
import { readManifest } from "../publish/manifest.ts";
import type { Inventory } from "./inventory.ts";

/** What is there already under the output's name. */
export type Existing =
  | { readonly state: "none" }
  /** One that may be replaced: it was asked for. */
  | { readonly state: "replaceable"; readonly version: string; readonly manifestVersion: string | undefined }
  /** Published but without its manifest: ours to finish when the plan has this digest. */
  | { readonly state: "unfinished"; readonly version: string; readonly digest: string }
  /** Made from the same inputs with the same settings. */
  | { readonly state: "done"; readonly manifest: Manifest };

/**
 * Looks for an output that was made before. Inputs are the same when size and version are, or else when their bytes
 * are (CRC32C), so that a copied checkpoint does not count as a new one.
 * @throws Failure (input) when there is an output from something else and `replace` is off.
 */
export async function findExisting(job: Job, inventory: Inventory): Promise<Existing> {
  const { output, manifest: manifestPath } = outputPaths(job);
  const file = await job.store.stat(output);
  if (file === undefined) return { state: "none" };
  const manifestVersion = (await job.store.stat(manifestPath))?.version;
  const manifest = await readManifest(job);
  const why = manifest === undefined ? "it has no manifest" : await compareManifest(job, manifest, inventory, file);
  if (manifest !== undefined && why === undefined) return { state: "done", manifest };
  if (job.settings.replace) return { state: "replaceable", version: file.version, manifestVersion };
  const digest = manifest === undefined ? await readDigest(job, file) : undefined;
  if (digest !== undefined) return { state: "unfinished", version: file.version, digest };
  throw otherOrigin(job, why ?? "another output");
}

/** The refusal to touch an output that this merge did not make. */
export function otherOrigin(job: Job, found: string): Failure {
  const what = `an output of other origin is there: ${outputPaths(job).output}`;
  return new Failure(ExitCode.input, [{ what, found, fix: "move it away, or pass --replace" }]);
}

/** Why the manifest is not of these inputs and settings; undefined when it is. */
async function compareManifest(
  job: Job,
  manifest: Manifest,
  inventory: Inventory,
  { size, crc32c }: Pick<StoredFile, "size" | "crc32c">,
): Promise<string | undefined> {
  const inputs = inventory.targets === undefined ? inventory.features : [inventory.targets, ...inventory.features];
  const comparison = compareWithManifest(manifest, {
    inputs,
    outputBytes: size,
    outputCrc32c: crc32c,
    settings: job.settings,
  });
  if (comparison.verdict === "other") return comparison.why;
  if (comparison.verdict === "same") return undefined;
  const before = new Map(manifest.inputs.map((input) => [input.table, input.crc32c]));
  for (const input of comparison.inputs)
    if ((await checksum(job, input)) !== before.get(input.table)) return `${input.table} has changed since`;
  return undefined;
}

/** A run that was killed between publishing the file and writing its manifest left its plan's digest in the footer. */
async function readDigest(job: Job, file: Pick<InputFile, "path" | "version" | "size">): Promise<string | undefined> {
  const opened = await job.store.open(file);
  try {
    return (await readFooter(opened)).footer.keyValues["widemerge.digest"];
  } catch (error) {
    if (error instanceof ParquetError) return undefined;
    throw error;
  } finally {
    await opened.close();
  }
}

async function checksum(job: Job, file: InputFile): Promise<string> {
  if (file.crc32c !== undefined) return file.crc32c;
  const opened = await job.store.open(file);
  try {
    return await checksumOf(opened);
  } finally {
    await opened.close();
  }
}
