import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, test } from "node:test";
import { ArrowSchemaError, findLostTypes } from "../../src/parquet/arrow-schema.ts";
import type { Footer } from "../../src/parquet/footer.ts";
import { loadFile } from "../support/bytes.ts";
import { makeTable } from "../support/columns.ts";
import { scratchFolder } from "../support/folder.ts";

const path = join(await scratchFolder("arrow-schema"), "polars.parquet");
makeTable({
  at: ["Datetime us UTC", ["1", "2"]],
  side: ["Categorical", ["a", null]],
  held: ["Duration", ["1", "2"]],
  local: ["Datetime us Berlin", ["1", "2"]],
  naive: ["Datetime us", ["1", "2"]],
  value: ["Float64", ["1", "2"]],
})
  .lazy()
  .sinkParquet(path)
  .collectSync();
const { footer } = await loadFile(path);

function lost(file: Pick<Footer, "columns" | "keyValues">): [string, string, string][] {
  return findLostTypes(file).map(({ column, from, to }) => [column.name, from, to]);
}

/** The same file with another Arrow schema. */
function withSchema(schema: Uint8Array | string): Pick<Footer, "columns" | "keyValues"> {
  const encoded = typeof schema === "string" ? schema : Buffer.from(schema).toString("base64");
  return { ...footer, keyValues: { ...footer.keyValues, "ARROW:schema": encoded } };
}

const schema = Buffer.from(footer.keyValues["ARROW:schema"] ?? "", "base64");

test("what Polars writes: a duration, a categorical and another time zone lose their types, nothing else does", () => {
  assert.deepEqual(lost(footer), [
    ["side", "dictionary", "BYTE_ARRAY (STRING)"],
    ["held", "duration[us]", "INT64"],
    ["local", "timestamp[us, Europe/Berlin]", "INT64 (TIMESTAMP) in UTC"],
  ]);
});

test("what pandas writes with pyarrow: dictionaries of numbers are plain numbers to every reader", async () => {
  // By pandas 3.1.1 and pyarrow 26.0.1, with `frame.to_parquet("pandas-types.parquet", compression="zstd")` for
  // pd.DataFrame({"at": at, "local": at.tz_convert("Europe/London"), "naive": at.tz_localize(None),
  //   "side": pd.Categorical(["buy", "sell", "buy"]), "hold": pd.to_timedelta([1, 2, 3], unit="s"),
  //   "code": pd.Categorical([10, 20, 10]), "note": ["a", "b", "c"], "value": [0.5, 1.5, None]})
  // where at = pd.date_range("2026-01-05", periods=3, freq="min", tz="UTC").
  const file = await loadFile(new URL("pandas-types.parquet", import.meta.url).pathname);
  assert.deepEqual(lost(file.footer), [
    ["local", "timestamp[us, Europe/London]", "INT64 (TIMESTAMP) in UTC"],
    ["side", "dictionary", "BYTE_ARRAY (STRING)"],
    ["hold", "duration[us]", "INT64"],
  ]);
});

test("a file without an Arrow schema loses nothing", () => {
  assert.deepEqual(findLostTypes({ ...footer, keyValues: {} }), []);
});

describe("a schema that cannot be used is said to be so", () => {
  it("one of other columns", () => {
    const other = { ...withSchema(schema), columns: footer.columns.toReversed() };
    assert.throws(() => findLostTypes(other), new ArrowSchemaError("it describes other columns than the file has"));
    assert.throws(() => findLostTypes({ ...withSchema(schema), columns: footer.columns.slice(1) }), ArrowSchemaError);
  });

  it("no base64, or nothing", () => {
    for (const text of ["", "!", "no schema at all", "/////w=="])
      assert.throws(() => findLostTypes(withSchema(text)), ArrowSchemaError, text);
  });

  it("one that is cut anywhere but in its padding, or damaged in any byte: no other error, and no endless work", () => {
    for (let length = 0; length < schema.length - 8; length += 1) {
      const cut = schema.subarray(0, length);
      assert.throws(() => findLostTypes(withSchema(cut)), ArrowSchemaError, `cut to ${length} bytes`);
    }
    let refused = 0;
    for (let at = 0; at < schema.length; at += 1)
      for (const value of [0, 0x7f, 0xff]) {
        const damaged = Buffer.from(schema);
        damaged[at] = value;
        try {
          findLostTypes(withSchema(damaged));
        } catch (error) {
          assert.ok(error instanceof ArrowSchemaError, `byte ${at} as ${value}: ${error}`);
          refused += 1;
        }
      }
    assert.ok(refused > 100, `${refused} damages noticed`);
  });
});
