/** What the fault tests share: the real command line, checkpoints to damage, and a look at what is left afterwards. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { crc32c } from "@node-rs/crc32";
import type { Manifest, PairResult } from "../../src/model/result.ts";
import { ThriftReader } from "../../src/parquet/thrift/reader.ts";
import { field, type ThriftStruct, type ThriftValue, withFields } from "../../src/parquet/thrift/thrift.ts";
import { ThriftWriter } from "../../src/parquet/thrift/writer.ts";

/** The program as a user starts it. */
export const program = fileURLToPath(new URL("../../bin/widemerge", import.meta.url));

/** A finished run of the command line. */
export interface CliRun {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command line, in a process group of its own. */
export interface StartedCli {
  readonly child: ChildProcess;
  readonly ended: Promise<CliRun>;
}

/** A folder that is removed after the test. */
export function makeFolder(context: { after(remove: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "widemerge-faults-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts bin/widemerge; settings of the caller's environment do not reach it, and its log is JSON. `launcher` stands before the program. */
export function startCli(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  launcher: readonly string[] = [],
): StartedCli {
  const own = Object.entries(process.env).filter(([name]) => !/^(WIDEMERGE|NODE_TEST|NODE_OPTIONS)/.test(name));
  const [file = program, ...rest] = [...launcher, program, ...args];
  const env = { ...Object.fromEntries(own), WIDEMERGE_LOG: "json", ...environment };
  const child = spawn(file, rest, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once("error", reject).once("exit", (...end) => resolve(end));
  });
  const ended = Promise.all([exit, text(child.stdout), text(child.stderr)]).then(([end, stdout, stderr]) => ({
    exitCode: end[0],
    signal: end[1],
    stdout,
    stderr,
  }));
  return { child, ended };
}

/** Runs bin/widemerge to its end. */
export function runCli(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<CliRun> {
  return startCli(args, environment).ended;
}

/** The one document that `merge --json` prints. */
export function resultOf(run: CliRun): PairResult {
  assert.notEqual(run.stdout, "", `nothing on stdout (exit ${run.exitCode}, ${run.signal}): ${run.stderr}`);
  return JSON.parse(run.stdout);
}

/** Every problem of a run as one line each: "table | what | found | fix". */
export function problemLines(result: PairResult): string[] {
  return result.problems.map(({ table, what, found, fix }) => [table ?? "", what, found, fix].join(" | "));
}

export interface SampleShape {
  readonly tables: number;
  readonly rows: number;
  readonly misaligned?: number;
  readonly duplicates?: number;
  readonly seed?: number;
}

/** Makes the checkpoint of a pair with `widemerge sample`; returns its folder. */
export async function makeSample(out: string, shape: SampleShape, pair = "audusd"): Promise<string> {
  const flags = Object.entries(shape).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const run = await runCli(["sample", "--out", out, "--pairs", pair, ...flags]);
  assert.equal(run.exitCode, 0, run.stderr);
  return join(out, pair);
}

/** A copy of a checkpoint that may be damaged, as the input folder of a merge. */
export function copyCheckpoint(checkpoint: string, input: string, pair = "audusd"): string {
  cpSync(checkpoint, join(input, pair), { recursive: true, preserveTimestamps: true });
  return join(input, pair);
}

/** Everything below a folder, hidden files too: name → kind, size, modification time and content. */
export function snapshot(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(names.map((name) => [name, describeEntry(join(folder, name))]));
}

function describeEntry(path: string): string {
  const found = statSync(path);
  if (!found.isFile()) return "folder";
  return `${found.size} ${found.mtimeMs} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}

/** Every file in an output folder, hidden ones too. */
export function listOutput(output: string): string[] {
  return existsSync(output) ? readdirSync(output, { recursive: true, encoding: "utf8" }).sort() : [];
}

/** The names of a finished merge, and nothing else. */
export const finishedNames = ["training_audusd.manifest.json", "training_audusd.parquet"];

/** Asserts that the manifest is of the very file beside it: size and CRC32C are computed here. */
export function checkManifest(output: string): Manifest {
  const manifest: Manifest = JSON.parse(readFileSync(join(output, "training_audusd.manifest.json"), "utf8"));
  const bytes = readFileSync(join(output, "training_audusd.parquet"));
  assert.equal(bytes.length, manifest.output.size);
  assert.equal(crc32c(bytes).toString(16).padStart(8, "0"), manifest.output.crc32c);
  assert.equal(bytes.subarray(-4).toString("latin1"), "PAR1");
  return manifest;
}

/** Changes the footer of a Parquet file in place; its pages stay as they are. */
export function editFooter(path: string, edit: (metadata: ThriftStruct) => ThriftStruct): void {
  const { bytes, start, metadata } = readMetadata(path);
  const writer = new ThriftWriter();
  writer.writeStruct(edit(metadata));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(writer.bytes().length);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, start), writer.bytes(), length, Buffer.from("PAR1")]));
}

function readMetadata(path: string): { bytes: Buffer; start: number; metadata: ThriftStruct } {
  const bytes = readFileSync(path);
  const start = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
  return { bytes, start, metadata: new ThriftReader(bytes.subarray(start, bytes.length - 8)).readStruct() };
}

type Changes = Parameters<typeof withFields>[1];

/** Changes fields of one ColumnChunk and of its ColumnMetaData, in the first row group. */
export function editChunk(path: string, column: number, inMetadata: Changes, inChunk: Changes = {}): void {
  editFooter(path, (metadata) =>
    editItem(metadata, 4, 0, (group) =>
      editItem(group, 1, column, (chunk) => {
        const changed = withFields(toStruct(field(chunk, 3)), inMetadata);
        return withFields(chunk, { 3: { type: 12, value: changed }, ...inChunk });
      }),
    ),
  );
}

/** Field `id` of a struct is a list of structs: changes one of them; -1 is the last. */
export function editItem(
  struct: ThriftStruct,
  id: number,
  index: number,
  edit: (item: ThriftStruct) => ThriftStruct,
): ThriftStruct {
  const list = field(struct, id);
  if (typeof list !== "object" || !("items" in list)) throw new Error(`field ${id} is no list`);
  const chosen = index < 0 ? list.items.length + index : index;
  const items = list.items.map((item, at) => (at === chosen ? edit(toStruct(item)) : item));
  return withFields(struct, { [id]: { type: 9, value: { ...list, items } } });
}

/** Where the first page of a column's chunk in the first row group starts, and the chunk's bytes. */
export function chunkPlace(path: string, column: number): { readonly start: number; readonly size: number } {
  const meta = chunkMetadata(path, column);
  const offsets = [field(meta, 9), field(meta, 11)].filter((value) => typeof value === "bigint");
  return { start: Math.min(...offsets.map(Number)), size: Number(field(meta, 7)) };
}

function chunkMetadata(path: string, column: number): ThriftStruct {
  const group = itemOf(readMetadata(path).metadata, 4, 0);
  return toStruct(field(itemOf(group, 1, column), 3));
}

function itemOf(struct: ThriftStruct, id: number, index: number): ThriftStruct {
  const list = field(struct, id);
  return toStruct(typeof list === "object" && "items" in list ? list.items.at(index) : undefined);
}

function toStruct(value: ThriftValue | undefined): ThriftStruct {
  if (typeof value !== "object" || !("fields" in value)) throw new Error("no struct");
  return value;
}

/** Overwrites bytes of a file in place. */
export function overwrite(path: string, start: number, bytes: Uint8Array): void {
  const content = readFileSync(path);
  content.set(bytes, start);
  writeFileSync(path, content);
}

/** Flips every bit of some bytes of a file. */
export function flip(path: string, start: number, length: number): void {
  const content = readFileSync(path);
  overwrite(
    path,
    start,
    content.subarray(start, start + length).map((byte) => byte ^ 0xff),
  );
}

/** Changes the header of a chunk's first page; the new header must be as long as the old one. */
export function editPage(path: string, column: number, edit: (header: ThriftStruct) => ThriftStruct): void {
  const { start } = chunkPlace(path, column);
  const reader = new ThriftReader(readFileSync(path), start);
  const writer = new ThriftWriter();
  writer.writeStruct(edit(reader.readStruct()));
  assert.equal(writer.bytes().length, reader.at - start, "a header of another length");
  overwrite(path, start, writer.bytes());
}

/**
 * Gives the first page of the file's last column chunk a CRC (parquet.thrift, PageHeader.crc), as some writers do: the
 * header grows, so the chunk does, and the footer moves.
 */
export function addPageChecksum(path: string, checksum: (body: Uint8Array) => number): void {
  const { start, size } = chunkPlace(path, -1);
  const bytes = readFileSync(path);
  const reader = new ThriftReader(bytes, start);
  const header = reader.readStruct();
  const body = bytes.subarray(reader.at, reader.at + Number(field(header, 3)));
  assert.equal(reader.at + body.length, start + size, "one page and no dictionary");
  const writer = new ThriftWriter();
  writer.writeStruct(withFields(header, { 4: { type: 5, value: checksum(body) | 0 } }));
  writeFileSync(path, Buffer.concat([bytes.subarray(0, start), writer.bytes(), bytes.subarray(reader.at)]));
  const grown = BigInt(size + writer.bytes().length - (reader.at - start));
  editChunk(path, -1, { 7: { type: 6, value: grown } });
}

/** Where the body of a chunk's first page starts: behind its header. */
export function pageBody(path: string, column: number): number {
  const reader = new ThriftReader(readFileSync(path), chunkPlace(path, column).start);
  reader.readStruct();
  return reader.at;
}
