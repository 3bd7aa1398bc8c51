import * as v from "valibot";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { Pair } from "../../model/names.ts";
import type { Manifest, Verification } from "../../model/result.ts";
import type { VerifyLevel } from "../../model/settings.ts";
import { checksumOf } from "../../store/checksum.ts";
import { type Job, outputPaths } from "../job.ts";
import { readManifest } from "../publish/manifest.ts";
import { type Expectation, verifyOutput } from "./verify.ts";

/** `widemerge verify`: a pair with its manifest and sources, or any Parquet file for its structure alone. */
export async function verifyTarget(job: Job, target: string, level: VerifyLevel): Promise<Verification> {
  const isPair = v.is(Pair, target);
  const path = isPair ? outputPaths(job).output : target;
  const manifest = isPair ? await readManifest(job) : undefined;
  const file = await job.store.stat(path);
  if (file === undefined) throw missing(path, "check --output and the name");
  if (level !== "structure" && manifest === undefined)
    throw missing(`manifest of ${path}`, "give a pair with its manifest, or use --level structure");
  const opened = await job.store.open(file);
  try {
    const expected = manifest === undefined ? undefined : toExpectation(manifest, job);
    const verification = await verifyOutput(job, path, opened, level, expected);
    const problems =
      manifest === undefined || level !== "full"
        ? []
        : compareChecksum(file.crc32c ?? (await checksumOf(opened)), manifest);
    return { ...verification, problems: [...verification.problems, ...problems] };
  } finally {
    await opened.close();
  }
}

function compareChecksum(found: string, manifest: Manifest): Verification["problems"] {
  if (found === manifest.output.crc32c) return [];
  return [
    {
      what: "the output is not the file of its manifest",
      found: `CRC32C ${found}, the manifest says ${manifest.output.crc32c}`,
      fix: "merge the pair again with --replace",
    },
  ];
}

function toExpectation(manifest: Manifest, job: Job): Expectation {
  const tables = manifest.inputs.map(({ table, path, size, version, columns }) => ({
    file: { table, path, size, version },
    columns,
  }));
  const columns = [job.settings.key, ...tables.flatMap((table) => table.columns.map((column) => column.output))];
  return { rows: manifest.rows, rowGroups: manifest.rowGroups, columns, tables };
}

function missing(what: string, fix: string): Failure {
  return new Failure(ExitCode.input, [{ what: "nothing to verify", found: `no ${what}`, fix }]);
}
