import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { compareSights, dropZones, joinSights, keyName, loadSight, type Sight } from "./canonical.ts";
import { type ManifestTables, type Merged, manifestOf, mergeAll, readAll, refused } from "./pairs.ts";
import { compareFooters, findAbsence, type Library, libraries } from "./tools.ts";

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
    test("keeps the types of all columns, and the statistics of spliced ones", { skip }, (context) => {
      const one = get(merged, pair);
      if (!isMerged(one, context)) return;
      assert.deepEqual(compareFooters(footerRequest(one)), []);
    });
  });
}

function checkMerge(one: Merged): void {
  if (refused(one)) return;
  assert.equal(one.exitCode, 0, one.said);
  const manifest = manifestOf(one);
  const expected = Object.entries(one.case.actions).sort();
  const named = manifest.inputs.filter(({ table }) => table in one.case.actions);
  assert.deepEqual(named.map(({ table, action }) => [table, action]).sort(), expected, reasonsOf(manifest));
}

/** Whether there is an output to look at; how the merge went is one test's matter, not every reader's. */
function isMerged(one: Merged, context: TestContext): boolean {
  if (refused(one)) context.skip("refused by name");
  else assert.equal(one.exitCode, 0, "was not merged");
  return !refused(one);
}

function checkReader(reader: Library, one: Merged, context: TestContext): void {
  if (!isMerged(one, context)) return;
  if (one.case.unreadable.includes(reader)) return context.skip(`${reader} does not read such files`);
  const found = loadSight(`${one.output}.${reader}.json`);
  if (typeof found === "string") assert.fail(`${reader} does not read the output: ${found}`);
  const zones = one.case.pair === "int96" ? dropZones : (sight: Sight) => sight;
  const expected = expectedSight(reader, one);
  assert.deepEqual(compareSights(zones(expected), zones(found)), []);
  // The key, the targets' other columns, then the tables by name.
  const others = expected.names.filter((name) => name !== keyName);
  assert.deepEqual(found.names, [keyName, ...others]);
  assert.deepEqual(found.indexes?.problems ?? [], []);
}

/** The left join of what this library sees in the inputs, or of what pyarrow sees where it cannot read one. */
function expectedSight(reader: Library, one: Merged): Sight {
  const sights = new Map([...one.inputs].map(([table, path]) => [table, sightOf(path, reader)]));
  const targets = sights.get("targets");
  assert.ok(targets, "the case has targets");
  sights.delete("targets");
  const prefixed = [...sights].map(
    ([table, sight]) => [table.replace(new RegExp(`_${one.case.pair}$`), ""), sight] as const,
  );
  return joinSights(targets, new Map(prefixed));
}

function sightOf(path: string, reader: Library): Sight {
  const own = loadSight(`${path}.${reader}.json`);
  if (typeof own !== "string") return own;
  const other = loadSight(`${path}.pyarrow.json`);
  if (typeof other === "string") assert.fail(`${reader}: ${own}\npyarrow: ${other}`);
  return other;
}

function footerRequest(one: Merged): unknown {
  const columns = manifestOf(one).inputs.flatMap(({ table, action, columns: lineage }) => {
    const key = table === "targets" ? [{ input: keyName, output: keyName }] : [];
    return [...key, ...lineage].map((column) => ({ ...column, action, path: one.inputs.get(table) }));
  });
  return { output: one.output, columns };
}

function reasonsOf(manifest: ManifestTables): string {
  return manifest.inputs.map(({ table, action, reason }) => `${table}: ${action}, ${reason}`).join("\n");
}

function get(merged: ReadonlyMap<string, Merged>, pair: string): Merged {
  const one = merged.get(pair);
  if (one === undefined) assert.fail(`${pair} was not written`);
  return one;
}
