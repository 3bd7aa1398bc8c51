/** Outputs that were made in a bucket, read by every library as what the local merge of the same checkpoint is. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { runCli } from "../faults/support.ts";
import { environment } from "../gcs/stand.ts";
import { findGcsAbsence, type Gcs, startGcs } from "../support/gcs.ts";
import { compareSights, loadSight, type Sight } from "./canonical.ts";
import { findAbsence, type Library, libraries, readFiles, writeCheckpoints } from "./tools.ts";

/** Checkpoints of pyarrow that differ most in form: misaligned, several row groups, nested, with page indexes, DELTA. */
const pairs = ["mixed", "groups", "nested", "none_indexed", "delta", "snappy"];

const absence = findAbsence("pyarrow") ?? findGcsAbsence();
suite("outputs made in a bucket", { skip: absence }, () => {
  const folder = mkdtempSync(join(tmpdir(), "widemerge-interop-"));
  const input = join(folder, "checkpoints");
  let gcs: Gcs;
  const settings = new Map<string, readonly string[]>();

  before(async () => {
    const started = await startGcs();
    assert.ok(started);
    gcs = started;
    writeCheckpoints("pyarrow", input);
    const cases: { pair: string; settings: string[] }[] = JSON.parse(readFileSync(join(input, "cases.json"), "utf8"));
    for (const one of cases) settings.set(one.pair, one.settings);
    for (const pair of pairs)
      for (const name of readdirSync(join(input, pair)))
        await gcs.objects.put(`in/${pair}/${name}`, readFileSync(join(input, pair, name)));
  });
  after(async () => {
    await gcs.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const merge = async (pair: string, from: string, to: string, assembly: string): Promise<void> => {
    const flags = ["--input", from, "--output", to, "--assembly", assembly, "--json", ...(settings.get(pair) ?? [])];
    const run = await runCli(["merge", pair, ...flags], environment(gcs.endpoint));
    assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  };

  for (const pair of pairs)
    test(`${pair} is the same to every library`, async () => {
      const made = await mergeEverywhere(pair);
      for (const library of libraries.filter((name) => findAbsence(name) === undefined)) compare(library, made);
    });

  /** The local output first, then those of the bucket. */
  async function mergeEverywhere(pair: string): Promise<string[]> {
    const name = `training_${pair}.parquet`;
    await merge(pair, input, join(folder, "local"), "auto");
    const paths = [join(folder, "local", name)];
    for (const assembly of ["compose", "stream"]) {
      await merge(pair, `gs://${gcs.bucket}/in`, `gs://${gcs.bucket}/${assembly}`, assembly);
      mkdirSync(join(folder, assembly), { recursive: true });
      const path = join(folder, assembly, name);
      writeFileSync(path, await gcs.objects.read(`${assembly}/${name}`));
      paths.push(path);
    }
    return paths;
  }
});

function compare(library: Library, [local = "", ...others]: readonly string[]): void {
  readFiles(
    library,
    [local, ...others].map((path) => [path, `${path}.${library}.json`] as const),
  );
  const expected = loadSight(`${local}.${library}.json`);
  for (const path of others) {
    const found = loadSight(`${path}.${library}.json`);
    // What a library cannot read locally (nested columns, some codecs) it cannot read from a bucket either.
    if (typeof expected === "string") assert.equal(typeof found, "string", path);
    else assert.deepEqual(compareSights(expected, toSight(found, library)), [], `${library}: ${path}`);
  }
}

function toSight(sight: Sight | string, library: Library): Sight {
  if (typeof sight === "string") assert.fail(`${library}: ${sight}`);
  return sight;
}
