/** Types that only the Arrow schema of an input knows, from its file to the plan and the manifest. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ChangedType } from "../../../src/model/plan.ts";
import type { Manifest } from "../../../src/model/result.ts";
import { makeTable } from "../../support/columns.ts";
import { scratchFolder } from "../../support/folder.ts";
import { mergeHere, planHere, TestPort } from "../../support/in-process.ts";

const root = await scratchFolder("changed-types");
const key = ["Datetime us UTC", ["1", "2"]] as const;

function writePair(): { input: string; output: string; table: string } {
  const place = mkdtempSync(join(root, "case-"));
  const folder = join(place, "in", "pair");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "_COMPLETE"), "");
  const [targets, table] = [join(folder, "targets.parquet"), join(folder, "mkt_pair.parquet")];
  makeTable({ interval_time: key, hold: ["Duration", ["5", null]] })
    .lazy()
    .sinkParquet(targets)
    .collectSync();
  const columns = { interval_time: key, side: ["Categorical", ["a", "b"]], x: ["Float64", ["1", "2"]] } as const;
  makeTable(columns).lazy().sinkParquet(table).collectSync();
  return { input: join(place, "in"), output: join(place, "out"), table };
}

const hold = { column: "hold", from: "duration[us]", to: "INT64" };
const side = { column: "mkt_side", from: "dictionary", to: "BYTE_ARRAY (STRING)" };

function readTypes(path: string): (readonly ChangedType[] | undefined)[] {
  const { inputs }: Manifest = JSON.parse(readFileSync(path, "utf8"));
  return inputs.map(({ changedTypes }) => changedTypes);
}

test("a plan and a manifest name the columns that lose their types, under their names in the output", async () => {
  const { table: _, ...pair } = writePair();
  const { tables } = await planHere(pair);
  assert.deepEqual(
    tables.map(({ changedTypes }) => changedTypes),
    [[hold], [side]],
  );
  assert.deepEqual(readTypes((await mergeHere(pair)).manifest), [[hold], [side]]);
});

test("a damaged Arrow schema is ignored with a warning", async () => {
  const { table, ...pair } = writePair();
  const bytes = readFileSync(table, "latin1");
  const at = bytes.indexOf("/////", bytes.indexOf("ARROW:schema"));
  assert.ok(at > 0);
  writeFileSync(table, `${bytes.slice(0, at)}AAAAA${bytes.slice(at + 5)}`, "latin1");
  const port = new TestPort();
  const { manifest } = await mergeHere(pair, "pair", port);
  assert.deepEqual(readTypes(manifest), [[hold], undefined]);
  const warnings = port.events.flatMap((event) => (event.type === "warning" ? [event.text] : []));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /^ARROW:schema of mkt_pair is ignored, so .*: \S/);
});
