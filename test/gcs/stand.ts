/** Checkpoints in a bucket, merges of them over a wire that may fail, and a look at the outcome that shares no code with them. */
import assert from "node:assert/strict";
import { runTask } from "../../src/merge/run.ts";
import { type Failure, toFailure } from "../../src/model/failure.ts";
import type { Manifest, PairResult } from "../../src/model/result.ts";
import { createGcsStore } from "../../src/store/gcs/store.ts";
import { type CliRun, runCli } from "../faults/support.ts";
import { crc32c } from "../support/crc32c.ts";
import { type FaultProxy, type Rule, startProxy } from "../support/faults.ts";
import { type Gcs, startGcs } from "../support/gcs.ts";
import { limits, makeSettings, type SomeSettings, TestPort } from "../support/in-process.ts";

/** A bucket with the checkpoint of audusd under in/. */
export interface Stand {
  readonly gcs: Gcs;
  readonly root: string;
  readonly input: string;
}

/** What `widemerge sample` is told, without dashes. */
export type Shape = Readonly<Record<string, string | number>>;

/** Starts a server and lets `widemerge sample` write a checkpoint into it. */
export async function openStand(shape: Shape): Promise<Stand> {
  const gcs = await startGcs();
  assert.ok(gcs, "no server");
  const root = `gs://${gcs.bucket}`;
  const stand = { gcs, root, input: `${root}/in` };
  await sampleInto(stand, stand.input, shape);
  return stand;
}

/** Another checkpoint of audusd in the same bucket. */
export async function sampleInto(stand: Stand, folder: string, shape: Shape): Promise<void> {
  const flags = Object.entries(shape).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const run = await runCli(["sample", "--out", folder, "--pairs", "audusd", ...flags], environment(stand.gcs.endpoint));
  assert.equal(run.exitCode, 0, run.stderr);
}

/** The settings by which the program finds a server. */
export function environment(endpoint: string): NodeJS.ProcessEnv {
  return { WIDEMERGE_GCS_ENDPOINT: endpoint, WIDEMERGE_STALL_SECONDS: "1" };
}

let outputs = 0;

/** A prefix of the bucket that nothing else uses. */
export function newPrefix(): string {
  outputs += 1;
  return `out-${outputs}`;
}

/** How a merge ended, and what went over the wire. */
export interface WireEnd {
  readonly result: PairResult | undefined;
  readonly failure: Failure | undefined;
  readonly proxy: FaultProxy;
  readonly prefix: string;
}

export interface WireOptions {
  readonly prefix?: string;
  /** How often a request is tried again; the default of the store unless given. */
  readonly retries?: number;
  /** Of a resumable upload; 512 KiB unless given, so that a small output is several. */
  readonly chunkBytes?: number;
}

/** Merges audusd in this process through a proxy with these rules. */
export async function mergeOverWire(
  stand: Stand,
  rules: readonly Rule[],
  given: SomeSettings = {},
  { prefix = newPrefix(), retries, chunkBytes = 512 * 1024 }: WireOptions = {},
): Promise<WireEnd> {
  const proxy = await startProxy(stand.gcs.endpoint, rules);
  const settings = makeSettings({ input: stand.input, output: `${stand.root}/${prefix}`, ...given });
  const store = createGcsStore({ endpoint: proxy.endpoint, stallSeconds: 1, retries, chunkBytes });
  const task = { command: "merge", pair: "audusd", settings, limits } as const;
  try {
    const report = await runTask(task, { store, port: new TestPort() });
    assert.equal(report.command, "merge");
    const result = "result" in report ? (report.result as PairResult) : undefined;
    return { result, failure: undefined, proxy, prefix };
  } catch (error) {
    return { result: undefined, failure: toFailure(error), proxy, prefix };
  } finally {
    await proxy.stop();
  }
}

/** Runs bin/widemerge against the server, or against what stands before it. */
export function runWith(endpoint: string, ...args: readonly string[]): Promise<CliRun> {
  return runCli(args, environment(endpoint));
}

export const outputName = "training_audusd.parquet";
export const manifestName = "training_audusd.manifest.json";

/** Names below a prefix, scratch included. */
export async function namesIn(stand: Stand, prefix: string): Promise<string[]> {
  const found = await stand.gcs.objects.list(`${prefix}/`);
  return found.map(({ name }) => name.slice(prefix.length + 1));
}

/**
 * Asserts that the manifest below a prefix, where there is one, is of the very object beside it; returns both. The sum
 * is computed here, of bytes fetched by plain HTTP.
 */
export async function readOutput(stand: Stand, prefix: string): Promise<{ bytes?: Buffer; manifest?: Manifest }> {
  const names = await namesIn(stand, prefix);
  const bytes = names.includes(outputName) ? await stand.gcs.objects.read(`${prefix}/${outputName}`) : undefined;
  if (!names.includes(manifestName)) return bytes === undefined ? {} : { bytes };
  const text = await stand.gcs.objects.read(`${prefix}/${manifestName}`);
  const manifest: Manifest = JSON.parse(text.toString());
  assert.ok(bytes, "a manifest without its output");
  assert.equal(manifest.output.size, bytes.length);
  assert.equal(manifest.output.crc32c, crc32c(bytes), "the manifest is of another output");
  return { bytes, manifest };
}

/** Asserts a finished merge: output and manifest belong together, are as expected, and nothing else is there. */
export async function checkFinished(stand: Stand, prefix: string, expected: Uint8Array): Promise<void> {
  const { bytes, manifest } = await readOutput(stand, prefix);
  assert.ok(bytes && manifest, "not finished");
  assert.equal(bytes.length, expected.length);
  assert.ok(bytes.equals(expected), "another content");
  assert.deepEqual(await namesIn(stand, prefix), [manifestName, outputName]);
}

/** What is wrong in one text, for messages of assertions. */
export function explain({ failure, proxy }: WireEnd): string {
  const faults = proxy.requests.filter(({ fault }) => fault !== undefined);
  return `${failure?.exitCode} ${failure?.message}; ${JSON.stringify(faults.slice(0, 3))}`;
}
