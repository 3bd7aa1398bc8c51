import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import pl from "nodejs-polars";
import { buildColumnFile, type LoadedRange } from "../../src/parquet/column-file.ts";
import { type Column, keepNames } from "../../src/parquet/footer.ts";
import { type FileInMemory, loadFile } from "../support/bytes.ts";
import { makeTable } from "../support/columns.ts";
import { scratchFolder } from "../support/folder.ts";

const path = join(await scratchFolder("wrap"), "source.parquet");
const table = makeTable({
  key: ["Datetime us UTC", ["1", "2", "3", "4", "5"]],
  kind: ["Categorical", ["a", "b", null, "a", "b"]],
  value: ["Float64", ["0.5", "NaN", null, "-0", "2"]],
});
table.lazy().sinkParquet(path, { rowGroupSize: 2, compression: "zstd" }).collectSync();
const file = await loadFile(path);

function rangesOf({ footer, bytes }: FileInMemory, columns: readonly Column[]): LoadedRange[] {
  return footer.rowGroups.flatMap((group) =>
    columns.flatMap((column) =>
      group.chunks
        .slice(column.firstLeaf, column.firstLeaf + column.leaves)
        .map(({ start, size }) => ({ start, bytes: bytes.subarray(start, start + size) })),
    ),
  );
}

const [key, kind, value] = file.footer.columns;
assert.ok(key && kind && value);

test("some columns become a file of their own, in the order asked for and under other names", () => {
  const renamed = [value, key].map((column) => ({ column, name: `x_${column.name}` }));
  const wrapped = buildColumnFile(file.footer, renamed, rangesOf(file, [value, key]));
  const frame = pl.readParquet(wrapped);
  assert.deepEqual(frame.columns, ["x_value", "x_key"]);
  assert.ok(frame.getColumn("x_key").seriesEqual(table.getColumn("key").rename("x_key")));
  assert.ok(frame.getColumn("x_value").seriesEqual(table.getColumn("value").rename("x_value"), true));
});

test("ARROW:schema is left out: categories become strings", () => {
  const frame = pl.readParquet(buildColumnFile(file.footer, keepNames([kind]), rangesOf(file, [kind])));
  assert.equal(String(frame.getColumn("kind").dtype), "DataType(String)");
  assert.deepEqual(frame.getColumn("kind").toArray(), ["a", "b", null, "a", "b"]);
});

test("ranges may come in any order and hold several chunks", () => {
  const shuffled = buildColumnFile(file.footer, keepNames([key, value]), rangesOf(file, [key, value]).reverse());
  const whole = buildColumnFile(file.footer, keepNames([key, value]), [
    { start: 0, bytes: file.bytes.subarray(0, file.start) },
  ]);
  assert.ok(pl.readParquet(shuffled).frameEqual(pl.readParquet(whole)));
});

test("a chunk that lies wholly in no range is an error", () => {
  const short = rangesOf(file, [key]).map(({ start, bytes }) => ({ start, bytes: bytes.subarray(1) }));
  assert.throws(() => buildColumnFile(file.footer, keepNames([key]), short), /no range holds the chunk of key/);
});
