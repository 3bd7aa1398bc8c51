/** Files that are wrong in thousands of places: told on a page, in one process. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { joinLines } from "../../src/cli/print.ts";
import { field, type ThriftStruct, ThriftType, withFields } from "../../src/parquet/thrift/thrift.ts";
import { describeProblems } from "../../src/report/text/pair.ts";
import { scratchFolder } from "../support/folder.ts";
import { failureOf, planHere, verifyHere } from "../support/in-process.ts";
import { writeStored } from "../support/parquet-file.ts";
import { editFooter } from "./support.ts";

const folder = await scratchFolder("many-problems");
const values = [Buffer.alloc(8)];
const key = { name: "interval_time", type: 2, values };
const settings = { requireMarker: false, memoryFree: "0" };

/** A checkpoint with one table of many columns; returns the path of that table. */
function makeWide(name: string, columns: number, withKey: boolean): string {
  const checkpoint = join(folder, name, "pair");
  mkdirSync(checkpoint, { recursive: true });
  writeStored(join(checkpoint, "targets.parquet"), [key, { name: "y", type: 2, values }]);
  const path = join(checkpoint, "wide.parquet");
  const wide = Array.from({ length: columns }, (_, index) => ({ name: `column_${index}`, type: 2, values }));
  writeStored(path, [...(withKey ? [key] : []), ...wide]);
  return path;
}

function structs(struct: ThriftStruct, id: number): readonly ThriftStruct[] {
  const list = field(struct, id);
  assert.ok(typeof list === "object" && "items" in list);
  return list.items as readonly ThriftStruct[];
}

const listOf = (items: readonly ThriftStruct[]) => ({
  type: ThriftType.list,
  value: { elementType: ThriftType.struct, items },
});

/** Changes the metadata of every column chunk. */
function editChunks(path: string, changes: Parameters<typeof withFields>[1]): void {
  editFooter(path, (metadata) => {
    const groups = structs(metadata, 4).map((group) => {
      const chunks = structs(group, 1).map((chunk) => {
        const value = withFields(field(chunk, 3) as ThriftStruct, changes);
        return withFields(chunk, { 3: { type: ThriftType.struct, value } });
      });
      return withFields(group, { 1: listOf(chunks) });
    });
    return withFields(metadata, { 4: listOf(groups) });
  });
}

test("4,000 chunks outside of the data: the first ten, and how many more", async () => {
  const path = makeWide("outside", 4000, true);
  editChunks(path, { 9: { type: ThriftType.i64, value: 10n ** 9n } });
  const { exitCode, problems } = await failureOf(planHere({ input: join(folder, "outside"), ...settings }));
  assert.equal(exitCode, 3);
  assert.equal(problems.length, 10);
  // Each chunk is outside of the data, and all of them overlap.
  assert.equal(problems.at(-1)?.more, 4001 + 4000 - 10);
  const text = joinLines(describeProblems(problems));
  assert.ok(text.length < 4000, text);
  assert.match(text, /; and 7,991 more like this\n$/);
  const { problems: verified } = await verifyHere({}, path, "structure");
  assert.equal(verified.length, 10);
  assert.equal(verified.at(-1)?.more, 7991);
});

test("4,000 chunks with pages that cannot be read", async () => {
  makeWide("pages", 4000, true);
  const path = join(folder, "pages", "pair", "wide.parquet");
  editChunks(path, { 5: { type: ThriftType.i64, value: 1n }, 4: { type: ThriftType.i32, value: 1 } });
  const { exitCode, problems } = await failureOf(planHere({ input: join(folder, "pages"), ...settings }));
  assert.equal(exitCode, 3);
  assert.equal(problems.length, 10);
  assert.equal(problems.at(-1)?.more, 4001 - 10);
});

test("4,000 columns without a key, in all tables", async () => {
  makeWide("keyless", 4000, false);
  const { exitCode, problems } = await failureOf(
    planHere({ input: join(folder, "keyless"), key: "time", ...settings }),
  );
  assert.equal(exitCode, 3);
  assert.ok(joinLines(describeProblems(problems)).length < 4000);
});
