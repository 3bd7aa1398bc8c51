import assert from "node:assert/strict";
import { test } from "node:test";
import { isChosen, matches } from "../../src/model/table-choice.ts";

test("a pattern matches a whole name: * any characters, ? one, everything else itself", () => {
  const matching = ["mkt_vol", "mkt_*", "*", "mkt?vol", "*_vol*", "mkt_vol.parquet", "mkt_*.parquet", "*.parquet"];
  for (const pattern of matching) assert.equal(matches(pattern, "mkt_vol", ["x"]), true, pattern);
  for (const pattern of ["mkt", "vol", "mkt_vol?", "MKT_*", "mkt.vol", "(mkt_vol)", ""])
    assert.equal(matches(pattern, "mkt_vol", ["x"]), false, pattern);
});

test("characters of regular expressions have no meaning", () => {
  for (const name of ["a.b", "a+b", "(a)", "[a]", "a|b", "a^$", "a\\b", "a{2}"])
    assert.equal(matches(name, name, ["x"]), true, name);
  assert.equal(matches("a.b", "axb", ["x"]), false);
  assert.equal(matches("[ab]", "a", ["x"]), false);
});

test("{pair} stands for the pair, and a file's name matches as well", () => {
  assert.equal(matches("mkt_{pair}", "mkt_audusd", ["audusd"]), true);
  assert.equal(matches("mkt_{pair}", "mkt_eurjpy", ["audusd"]), false);
  assert.equal(matches("mkt_{pair}.parquet", "mkt_ES=F", ["es_f", "ES=F"]), true);
  assert.equal(matches("*.PARQUET", "notes.PARQUET", ["audusd"]), true);
});

test("a table is merged if a pattern chooses it, or there is none, and none excludes it", () => {
  const chosen = (tables: string[], excludeTables: string[]) => isChosen({ tables, excludeTables }, "mkt_vol", ["x"]);
  assert.equal(chosen([], []), true);
  assert.equal(chosen(["tri_*", "mkt_*"], []), true);
  assert.equal(chosen(["tri_*"], []), false);
  assert.equal(chosen([], ["*_vol"]), false);
  assert.equal(chosen(["mkt_vol"], ["mkt_vol"]), false);
});
