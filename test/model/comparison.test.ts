import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { findGap, listTables } from "../../src/model/checkpoint.ts";
import { compareWithManifest, outputSettings, runSettings } from "../../src/model/comparison.ts";
import { isManifest } from "../../src/model/manifest.ts";
import type { InputFile } from "../../src/model/plan.ts";
import type { Manifest, ManifestInput } from "../../src/model/result.ts";
import { makeSettings, type SomeSettings } from "../support/in-process.ts";

const settings = makeSettings({});
const file = (table: string, given: Partial<InputFile> = {}): InputFile => ({
  table,
  path: `in/${table}.parquet`,
  size: 10,
  version: "1",
  ...given,
});
const inputs = [file("targets"), file("pair_a")];
const manifest = {
  output: { name: "training_x.parquet", size: 100, crc32c: "00000000" },
  settings: outputSettings(settings),
  inputs: inputs.map((input) => ({ ...input, crc32c: "0000000a", columns: [] })),
} as unknown as Manifest;

describe("an output and what is there now", () => {
  const compare = (changed: readonly InputFile[], outputBytes = 100, given = settings) =>
    compareWithManifest(manifest, { inputs: changed, outputBytes, settings: given });

  it("the same, in any order", () => {
    assert.deepEqual(compare(inputs.toReversed()), { verdict: "same" });
    assert.deepEqual(compare(inputs, 100, makeSettings({ verify: "full", logEvery: 3 })), { verdict: "same" });
  });

  it("another version needs a look at the bytes, unless the store knows their checksum", () => {
    const copied = file("pair_a", { version: "2" });
    assert.deepEqual(compare([file("targets"), copied]), { verdict: "unsure", inputs: [copied] });
    assert.deepEqual(compare([file("targets"), { ...copied, crc32c: "0000000a" }]), { verdict: "same" });
    assert.deepEqual(compare([file("targets"), { ...copied, crc32c: "0000000b" }]), {
      verdict: "other",
      why: "pair_a has changed since the merge",
    });
  });

  const other: readonly [string, ReturnType<typeof compare>, RegExp][] = [
    ["output of another size", compare(inputs, 99), /99 bytes, but its manifest says 100/],
    ["other settings", compare(inputs, 100, makeSettings({ naming: "keep" })), /it was made with/],
    ["a table more", compare([...inputs, file("b")]), /from 2 tables, now there are 3/],
    ["a table less", compare([file("targets")]), /from 2 tables, now there is 1/],
    ["a table of another name", compare([file("targets"), file("b")]), /it was made without b/],
    ["a table of another size", compare([file("targets"), file("pair_a", { size: 11 })]), /pair_a has changed/],
  ];
  for (const [name, found, why] of other)
    it(name, () => {
      assert.equal(found.verdict, "other");
      assert.match("why" in found ? found.why : "", why);
    });
});

describe("an output that the present policy would refuse", () => {
  const keyed = (counts: Partial<ManifestInput>, made = {}) => {
    const settings = outputSettings(makeSettings(made));
    const [targets, table] = manifest.inputs;
    return { ...manifest, rows: 10, settings, inputs: [targets, { ...table, ...counts }] } as Manifest;
  };
  const compare = (made: Manifest, given: SomeSettings) =>
    compareWithManifest(made, { inputs, outputBytes: 100, settings: makeSettings(given) });
  const cases: readonly [string, Manifest, RegExp, SomeSettings][] = [
    [
      "a table of which no key matched",
      keyed({ rowsNullFilled: 10, rowsDropped: 10, nullKeyRows: 0 }),
      /^pair_a has none of the targets' keys: its columns are null, which only --min-match 0 allows$/,
      { minMatch: 0 },
    ],
    [
      "rows without a key",
      keyed({ rowsNullFilled: 2, rowsDropped: 2, nullKeyRows: 1 }),
      /^it lacks 1 row of pair_a without a key, which only --null-keys drop allows$/,
      { nullKeys: "drop" },
    ],
    [
      "rows that may have had no key, where the manifest does not count them",
      keyed({ rowsNullFilled: 0, rowsDropped: 3, duplicateRows: 2 }),
      /^it lacks perhaps rows of pair_a without a key/,
      { nullKeys: "drop" },
    ],
  ];
  for (const [name, made, why, allowed] of cases)
    it(name, () => {
      const refused = compare(made, {});
      assert.match("why" in refused ? refused.why : "", why);
      assert.deepEqual(compare(made, allowed), { verdict: "same" });
    });

  it("not one with rows of other keys or of repeated ones left out", () => {
    assert.deepEqual(compare(keyed({ rowsNullFilled: 9, rowsDropped: 9, nullKeyRows: 0 }), {}), { verdict: "same" });
    const repeated = keyed({ rowsNullFilled: 0, rowsDropped: 2, duplicateRows: 2 });
    assert.deepEqual(compare(repeated, {}), { verdict: "same" });
  });
});

it("an output from a folder of another name is another where its tables end with that name", () => {
  const compare = (table: string) => {
    const before = { ...file(table, { path: `in/ES=F/${table}.parquet` }), crc32c: "0000000a", columns: [] };
    const made = { ...manifest, pair: "es_f", inputs: [before] } as unknown as Manifest;
    const now = [file(table, { path: `in/es_f/${table}.parquet` })];
    return compareWithManifest(made, { inputs: now, outputBytes: 100, settings });
  };
  const why = "it was made from a folder ES=F, which gives its columns other names";
  assert.deepEqual(compare("mkt_ES=F"), { verdict: "other", why });
  assert.deepEqual(compare("mkt_es_f"), { verdict: "same" });
  assert.deepEqual(compare("mkt"), { verdict: "same" });
});

describe("an output of version 0.1.0", () => {
  const former: Manifest = JSON.parse(readFileSync(new URL("manifest-0.1.0.json", import.meta.url), "utf8"));
  const compare = (made: Manifest, given: SomeSettings = {}) =>
    compareWithManifest(made, { inputs: made.inputs, outputBytes: made.output.size, settings: makeSettings(given) });
  const withoutIndex: Manifest = {
    ...former,
    inputs: former.inputs.map(({ columns, ...input }) => ({
      ...input,
      columns: columns.filter((column) => column.input !== "__index_level_0__"),
    })),
  };

  it("can be read", () => assert.ok(isManifest(former)));

  it("has the index that pandas saved, which is left out now unless it is kept", () => {
    assert.equal(compare(former).verdict, "other");
    assert.deepEqual(compare(former, { keepIndex: true }), { verdict: "same" });
  });

  it("without such an index is done with either setting, and has no rows without a key to miss", () => {
    assert.deepEqual(compare(withoutIndex), { verdict: "same" });
    assert.deepEqual(compare(withoutIndex, { keepIndex: true }), { verdict: "same" });
    assert.equal(compare(withoutIndex, { separator: "__" }).verdict, "other");
  });
});

it("policies that let more pass are part of a run", () => {
  const given = { nullKeys: "drop", minMatch: 0 };
  assert.deepEqual(runSettings(makeSettings(given)), { ...outputSettings(settings), ...given });
  assert.deepEqual(runSettings(makeSettings({ minMatch: "90%" })), outputSettings(settings));
});

it("the settings of a run state its choice of tables, if there is one", () => {
  assert.deepEqual(runSettings(settings), outputSettings(settings));
  const chosen = runSettings(makeSettings({ tables: "mkt_*", excludeTables: ["a", "b"] }));
  assert.deepEqual(chosen, { ...outputSettings(settings), tables: ["mkt_*"], excludeTables: ["a", "b"] });
});

describe("a checkpoint and what was expected of it", () => {
  const files = ["_COMPLETE", "pair_a_x.parquet", "targets.parquet", "notes.txt"].map((name) => ({
    ...file(""),
    name,
  }));
  const gap = (given: Record<string, unknown>, list = files, expected?: string) =>
    findGap("x", list, makeSettings(given), expected);

  it("tables are the Parquet files", () =>
    assert.deepEqual(
      listTables(files).map(({ table }) => table),
      ["pair_a_x", "targets"],
    ));

  it("nothing is missing, or the first thing that is", () => {
    assert.equal(gap({}), undefined);
    assert.equal(gap({}, files.slice(1)), "no _COMPLETE");
    assert.equal(gap({ requireMarker: false }, files.slice(1)), undefined);
    assert.equal(gap({ targets: "goals" }), "no goals.parquet");
    assert.equal(gap({ expectTables: 2 }), undefined);
    assert.equal(gap({ expectTables: 3 }), "3 tables expected, 2 found");
  });

  it("a list of names", () => {
    const expect = (text: string) => gap({ expectTables: "list.txt" }, files, text);
    assert.equal(expect("# all\ntargets\npair_a_{pair}.parquet\n"), undefined);
    assert.equal(expect("targets\npair_a_x\npair_b_{pair}"), "pair_b_x is missing");
    assert.equal(expect("targets"), "pair_a_x is not expected");
  });
});
