import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findGcsAbsence, type Gcs, startGcs } from "../test/support/gcs.ts";
import { measureNeed, type Need } from "./bucket-need.ts";
import { type BucketResults, type BucketRun, renderBucket } from "./bucket-report.ts";
import { type Dataset, sampleInto } from "./data.ts";
import { describeMachine } from "./machine.ts";
import { type Caps, measure } from "./measure.ts";

/**
 * The Cloud Storage section of the benchmark, against a server on the loopback interface. Variables: SIZE tiny|small; RUNS (3); KEEP=1
 * keeps the data under bench/work.
 */

const here = fileURLToPath(new URL(".", import.meta.url));
const work = join(here, "work");
const widemerge = join(here, "../bin/widemerge");
const caps: Caps = {
  dataBytes: 18 * 2 ** 30,
  totalBytes: 20 * 2 ** 30,
  seconds: Number(process.env.CAP_SECONDS ?? 900),
};
const size = process.env.SIZE === "tiny" ? "tiny" : "small";
const rounds = Number(process.env.RUNS ?? 3);
const shapes = {
  /** The full number of tables and columns: the work of a composition grows with them, not with the rows. */
  compose: size === "tiny" ? ["--tables", "60", "--rows", "3000"] : ["--full", "--rows", "10000"],
  stream: size === "tiny" ? ["--tables", "60", "--rows", "3000"] : ["--tables", "667", "--rows", "30000"],
};

const absence = findGcsAbsence();
if (absence !== false) {
  process.stderr.write(`bench: the Cloud Storage section is skipped: ${absence}\n`);
  process.exit(0);
}
mkdirSync(work, { recursive: true });
const gcs = await startGcs();
if (gcs === undefined) throw new Error("no server");
try {
  publish({
    size,
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(work),
    rounds,
    shapes: { compose: shapes.compose.join(" "), stream: shapes.stream.join(" ") },
    compose: await composeWith(gcs, "bucket-aligned", []),
    misaligned: await composeWith(gcs, "bucket-misaligned", ["--misaligned", "0.1"]),
    stream: await streamAgainstPlain(gcs),
  });
} finally {
  await gcs.stop();
  if (process.env.KEEP !== "1") rmSync(work, { recursive: true, force: true });
}

async function composeWith(server: Gcs, name: string, flags: readonly string[]) {
  say(`${name}: making and uploading the data ...`);
  const dataset = sampleInto(join(work, name), name, [...shapes.compose, ...flags]);
  await upload(server, dataset);
  const need: Need = await measureNeed(join(dataset.input, dataset.pair));
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
    say(`stream, round ${round + 1}: plain client: ${run.seconds.toFixed(2)} s`);
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
  say(
    `${dataset.name}, round ${round + 1}: ${assembly}: ${run.seconds.toFixed(2)} s, ${Math.round(run.peakBytes / 2 ** 20)} MiB`,
  );
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
  if (process.env.KEEP !== "1") rmSync(input, { recursive: true, force: true });
}

function publish(results: BucketResults): void {
  const page = renderBucket(results);
  process.stdout.write(page);
  if (size === "tiny") return;
  mkdirSync(join(here, "results"), { recursive: true });
  writeFileSync(join(here, "results/bucket.md"), page);
  writeFileSync(join(here, "results/bucket.json"), `${JSON.stringify(results, null, 2)}\n`);
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
