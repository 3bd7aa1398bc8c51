import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { compareSights, dropZones, joinSights, loadSight, type Sight } from "./canonical.ts";
import { compareFooters, findAbsence, type Library, libraries, readFiles, runWidemerge, writeCheckpoints } from "./tools.ts";

/** One pair that a library wrote, and what widemerge must make of it. */
interface Case {
  readonly pair: string;
  readonly settings: readonly string[];
  /** What must happen to each table; tables that are not named may go either way. */
  readonly actions: Readonly<Record<string, "splice" | "align">>;
  /** Libraries that cannot read this writer's files at all. */
  readonly unreadable: readonly string[];
  /** A column whose name a refusal must give, where refusing is as good as splicing. */
  readonly mayRefuse?: string;
}

interface Merged {
  readonly case: Case;
  readonly exitCode: number;
  readonly said: string;
  /** Input table → file, in the order of the case. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly output: string;
}

/** The manifest's word on the tables, as far as these tests use it. */
interface ManifestTables {
  readonly inputs: readonly { readonly table: string; readonly action: string; readonly reason: string; readonly columns: Readonly<Record<string, string>> }[];
}

/** What every writer's checkpoints must come to: merged, and read back equal by every library. */
export function registerSuite(writer: Library, pairs: readonly string[]): void {
  const absence = findAbsence(writer);
  suite(`inputs written by ${writer}`, { skip: absence ?? false }, () => {
    const folder = mkdtempSync(join(tmpdir(), "widemerge-interop-"));
    const merged = new Map<string, Merged>();
    before(async () => {
      for (const one of await mergeAll(writer, folder)) merged.set(one.case.pair, one);
      for (const reader of libraries) if (findAbsence(reader) === undefined) readAll(reader, [...merged.values()]);
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    test("every pair that was written is tested", () => {
      assert.deepEqual([...merged.keys()].sort(), [...pairs].sort());
    });
    for (const pair of pairs) registerPair(pair, merged);
  });
}

function registerPair(pair: string, merged: ReadonlyMap<string, Merged>): void {
  suite(pair, () => {
    test("is merged, spliced where it can be and aligned where it must be", () => checkMerge(get(merged, pair)));
    for (const reader of libraries) {
      const skip = findAbsence(reader) ?? false;
      test(`reads equal in ${reader}`, { skip }, (context) => checkReader(reader, get(merged, pair), context));
    }
    const skip = findAbsence("pyarrow") ?? false;
    test("has the inputs' types and statistics in spliced columns", { skip }, (context) => {
      const one = get(merged, pair);
      if (refused(one)) return context.skip("refused by name");
      assert.deepEqual(compareFooters(footerRequest(one)), []);
    });
  });
}

async function mergeAll(writer: Library, folder: string): Promise<Merged[]> {
  const input = join(folder, "checkpoints");
  const output = join(folder, "training");
  writeCheckpoints(writer, input);
  const cases: Case[] = JSON.parse(readFileSync(join(input, "cases.json"), "utf8"));
  const merged: Merged[] = [];
  for (const one of cases) {
    const flags = ["--input", input, "--output", output, "--verify", "full", "--json", ...one.settings];
    const { status, stdout, stderr } = await runWidemerge("merge", one.pair, ...flags);
    const inputs = new Map(Object.keys(tablesOf(input, one)).map((table) => [table, join(input, one.pair, `${table}.parquet`)]));
    const path = join(output, `training_${one.pair}.parquet`);
    merged.push({ case: one, exitCode: status ?? -1, said: `${stdout}\n${stderr}`, inputs, output: path });
  }
  return merged;
}

function tablesOf(input: string, one: Case): Record<string, string> {
  return JSON.parse(readFileSync(join(input, one.pair, "tables.json"), "utf8"));
}

function readAll(reader: Library, merged: readonly Merged[]): void {
  const files = merged.flatMap((one) => [...one.inputs.values(), one.output]).filter((path) => existsSync(path));
  readFiles(reader, files.map((path) => [path, `${path}.${reader}.json`] as const));
}

function checkMerge(one: Merged): void {
  if (refused(one)) return;
  assert.equal(one.exitCode, 0, one.said);
  const manifest = manifestOf(one);
  const expected = Object.entries(one.case.actions).sort();
  const named = manifest.inputs.filter(({ table }) => table in one.case.actions);
  assert.deepEqual(named.map(({ table, action }) => [table, action]).sort(), expected, reasonsOf(manifest));
}

function checkReader(reader: Library, one: Merged, context: TestContext): void {
  if (refused(one)) return context.skip("refused by name");
  assert.equal(one.exitCode, 0, one.said);
  if (one.case.unreadable.includes(reader)) return context.skip(`${reader} does not read such files`);
  const found = loadSight(`${one.output}.${reader}.json`);
  if (typeof found === "string") assert.fail(`${reader} does not read the output: ${found}`);
  const zones = one.case.pair === "int96" ? dropZones : (sight: Sight) => sight;
  assert.deepEqual(compareSights(zones(expectedSight(reader, one)), zones(found)), []);
  assert.deepEqual(found.indexes?.problems ?? [], []);
}

/** The left join of what this library sees in the inputs, or of what pyarrow sees where it cannot read one. */
function expectedSight(reader: Library, one: Merged): Sight {
  const sights = new Map([...one.inputs].map(([table, path]) => [table, sightOf(path, reader)]));
  const targets = sights.get("targets");
  assert.ok(targets, "the case has targets");
  sights.delete("targets");
  const prefixed = [...sights].map(([table, sight]) => [table.replace(new RegExp(`_${one.case.pair}$`), ""), sight] as const);
  return joinSights(targets, new Map(prefixed));
}

function sightOf(path: string, reader: Library): Sight {
  const own = loadSight(`${path}.${reader}.json`);
  if (typeof own !== "string") return own;
  const other = loadSight(`${path}.pyarrow.json`);
  if (typeof other === "string") assert.fail(`${reader}: ${own}\npyarrow: ${other}`);
  return other;
}

/** Whether a pair that may be refused was: with exit 3 and the column's name. Any other failure is none. */
function refused(one: Merged): boolean {
  const column = one.case.mayRefuse;
  return column !== undefined && one.exitCode === 3 && one.said.includes(column) && !existsSync(one.output);
}

function footerRequest(one: Merged): unknown {
  const spliced = manifestOf(one).inputs.filter(({ action }) => action === "splice");
  const columns = spliced.flatMap(({ table, columns: lineage }) =>
    Object.entries(lineage).map(([output, input]) => ({ output, input, path: one.inputs.get(table) })),
  );
  return { output: one.output, columns };
}

function manifestOf(one: Merged): ManifestTables {
  return JSON.parse(readFileSync(one.output.replace(/\.parquet$/, ".manifest.json"), "utf8"));
}

function reasonsOf(manifest: ManifestTables): string {
  return manifest.inputs.map(({ table, action, reason }) => `${table}: ${action}, ${reason}`).join("\n");
}

function get(merged: ReadonlyMap<string, Merged>, pair: string): Merged {
  const one = merged.get(pair);
  if (one === undefined) assert.fail(`${pair} was not written`);
  return one;
}
