import * as v from "valibot";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { Pair } from "../../model/names.ts";
import type { Manifest, Verification } from "../../model/result.ts";
import type { DuplicatePolicy, VerifyLevel } from "../../model/settings.ts";
import { checksumOf } from "../../store/crc32c.ts";
import { type Context, openPair } from "../context.ts";
import { readManifest } from "../publish/manifest.ts";
import { type Expectation, verifyOutput } from "./verify.ts";

/** What `widemerge verify` is asked for: a pair or the path of a file, and where outputs lie. */
export interface VerifyRequest {
  readonly target: string;
  readonly level: VerifyLevel;
  readonly output: string;
  readonly key: string;
  readonly duplicates: DuplicatePolicy;
}

/** `widemerge verify`: a pair with its manifest and sources, or any Parquet file for its structure alone. */
export async function verifyTarget(context: Context, request: VerifyRequest): Promise<Verification> {
  const { store } = context;
  const { target, level } = request;
  const paths = v.is(Pair, target) ? openPair(context, target, request.output).paths : undefined;
  const path = paths?.output ?? target;
  const manifest = paths === undefined ? undefined : await readManifest(store, paths.manifest);
  const file = await store.stat(path);
  if (file === undefined) throw missing(path, "check --output and the name");
  if (level !== "structure" && manifest === undefined)
    throw missing(`manifest of ${path}`, "give a pair with its manifest, or use --level structure");
  const opened = await store.open(file);
  try {
    const expected = manifest === undefined ? undefined : toExpectation(manifest, request);
    const verification = await verifyOutput(context, { path, opened }, expected, level);
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

function toExpectation(
  manifest: Manifest,
  { key, duplicates }: Pick<VerifyRequest, "key" | "duplicates">,
): Expectation {
  const tables = manifest.inputs.map(({ table, path, size, version, columns }, index) => ({
    file: { table, path, size, version },
    isTargets: index === 0,
    columns,
  }));
  const columns = [key, ...tables.flatMap((table) => table.columns.map((column) => column.output))];
  return { rows: manifest.rows, rowGroups: manifest.rowGroups, columns, tables, key, duplicates };
}

function missing(what: string, fix: string): Failure {
  return new Failure(ExitCode.input, [{ what: "nothing to verify", found: `no ${what}`, fix }]);
}
