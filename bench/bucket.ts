import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readFooter } from "../src/parquet/footer-reader.ts";
import { openLocal } from "../src/store/local/file.ts";
import { findGcsAbsence, type Gcs, startGcs } from "../test/support/gcs.ts";
import { type BucketResults, type BucketRun, type Need, renderBucket } from "./bucket-report.ts";
import { type Dataset, sampleInto } from "./data.ts";
import { describeMachine } from "./machine.ts";
import { measure } from "./measure.ts";
import { toMebibytes, toSeconds } from "./page.ts";
import { caps, here, keep, publish, rounds, say, today, widemerge, withWorkFolder, work } from "./workspace.ts";

/**
 * The section of the benchmark on Cloud Storage, against a server on the loopback interface. Variables: SIZE tiny|small;
 * RUNS (3); KEEP=1 keeps the data under bench/work.
 */

const size = process.env.SIZE === "tiny" ? "tiny" : "small";
const shapes = {
  /** The full number of tables and columns: the work of a composition grows with them, not with the rows. */
  compose: size === "tiny" ? ["--tables", "60", "--rows", "3000"] : ["--full", "--rows", "10000"],
  stream: size === "tiny" ? ["--tables", "60", "--rows", "3000"] : ["--tables", "667", "--rows", "30000"],
};

const absence = findGcsAbsence();
if (absence !== false) {
  say(`the Cloud Storage section is skipped: ${absence}`);
  process.exit(0);
}
const gcs = await startGcs();
if (gcs === undefined) throw new Error("no server");
try {
  await withWorkFolder(async () => {
    const results: BucketResults = {
      size,
      date: today,
      machine: describeMachine(work),
      rounds,
      shapes: { compose: shapes.compose.join(" "), stream: shapes.stream.join(" ") },
      compose: await composeWith(gcs, "bucket-aligned", []),
      misaligned: await composeWith(gcs, "bucket-misaligned", ["--misaligned", "0.1"]),
      stream: await streamAgainstPlain(gcs),
    };
    publish(size, "bucket", renderBucket(results), results);
  });
} finally {
  await gcs.stop();
}

async function composeWith(server: Gcs, name: string, flags: readonly string[]) {
  say(`${name}: making and uploading the data ...`);
  const dataset = sampleInto(join(work, name), name, [...shapes.compose, ...flags]);
  await upload(server, dataset);
  const need = await measureNeed(dataset);
  const runs: BucketRun[] = [];
  for (let round = 0; round < rounds; round += 1) runs.push(await merge(server, dataset, "compose", round));
  await drop(server, dataset);
  return { need, runs, bytes: dataset.bytes, tables: dataset.tables + 1 };
}

async function streamAgainstPlain(server: Gcs) {
  say("stream: making and uploading the data ...");
  const dataset = sampleInto(join(work, "bucket-stream"), "bucket-stream", shapes.stream);
  await upload(server, dataset);
  const runs: BucketRun[] = [];
  const plain: { seconds: number; peakBytes: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    runs.push(await merge(server, dataset, "stream", round));
    const command = [process.execPath, "--no-warnings", join(here, "peers/bucket-copy.ts")];
    const args = [server.endpoint, server.bucket, `${dataset.name}/${dataset.pair}/`, `out/plain-${round}`];
    const run = await measure([...command, ...args], caps, join(work, "last.log"));
    if (run.failure !== undefined) throw new Error(`the plain client: ${run.failure}`);
    say(`stream, round ${round + 1}: plain client: ${toSeconds(run.seconds)}`);
    plain.push(run);
    await server.objects.remove(`out/plain-${round}`);
  }
  await drop(server, dataset);
  return { runs, plain, bytes: dataset.bytes, tables: dataset.tables + 1 };
}

async function merge(server: Gcs, dataset: Dataset, assembly: string, round: number): Promise<BucketRun> {
  const root = `gs://${server.bucket}`;
  const output = `out/${dataset.name}-${round}`;
  const folders = ["--input", `${root}/${dataset.name}`, "--output", `${root}/${output}`];
  const flags = ["--assembly", assembly, "--gcs-endpoint", server.endpoint, "--json"];
  const run = await measure([widemerge, "merge", dataset.pair, ...folders, ...flags], caps, join(work, "last.log"));
  if (run.failure !== undefined) throw new Error(`widemerge: ${run.failure}`);
  const measured = `${toSeconds(run.seconds)}, ${toMebibytes(run.peakBytes)}`;
  say(`${dataset.name}, round ${round + 1}: ${assembly}: ${measured}`);
  for (const { name } of await server.objects.list(output)) await server.objects.remove(name);
  const { traffic, stages, predictedPeakBytes } = JSON.parse(run.stdout);
  return { seconds: run.seconds, peakBytes: run.peakBytes, predictedPeakBytes, traffic, stages };
}

async function upload(server: Gcs, { input, pair, name }: Dataset): Promise<void> {
  for (const file of readdirSync(join(input, pair)))
    await server.objects.put(`${name}/${pair}/${file}`, readFileSync(join(input, pair, file)));
}

async function drop(server: Gcs, { input, name }: Dataset): Promise<void> {
  for (const object of await server.objects.list(`${name}/`)) await server.objects.remove(object.name);
  if (!keep) rmSync(input, { recursive: true, force: true });
}

/** Adds up footers and key chunks of a checkpoint. */
async function measureNeed({ input, pair }: Dataset): Promise<Need> {
  let [footers, keyChunks] = [0, 0];
  for (const name of readdirSync(join(input, pair)).filter((file) => file.endsWith(".parquet"))) {
    const opened = await openLocal(join(input, pair, name));
    const { footer, start } = await readFooter(opened);
    footers += opened.size - start;
    const key = footer.columns.find((column) => column.name === "interval_time");
    for (const group of footer.rowGroups) keyChunks += group.chunks[key?.firstLeaf ?? 0]?.size ?? 0;
    await opened.close();
  }
  return { footers, keyChunks };
}
