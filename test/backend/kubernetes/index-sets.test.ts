import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseIndexSet } from "../../../src/backend/kubernetes/index-sets.ts";

/** What the Job controller writes: runs of three and more as a range, of two as two numbers or a range. */
function writeIndexSet(indexes: readonly number[], ranges: boolean): string {
  const runs: number[][] = [];
  for (const index of indexes) {
    const last = runs.at(-1);
    if (ranges && last?.at(-1) === index - 1) last.push(index);
    else runs.push([index]);
  }
  return runs.map((run) => (run.length === 1 ? `${run[0]}` : `${run[0]}-${run.at(-1)}`)).join(",");
}

test("what a Job's status writes is read back, with and without ranges", () => {
  const anySet = fc
    .uniqueArray(fc.nat(300), { maxLength: 200 })
    .map((list) => list.sort((left, right) => left - right));
  fc.assert(
    fc.property(anySet, fc.boolean(), (indexes, ranges) => {
      assert.deepEqual([...parseIndexSet(writeIndexSet(indexes, ranges))], indexes);
    }),
  );
});

test("the example of the API reference, and nothing", () => {
  assert.deepEqual([...parseIndexSet("1,3-5,7")], [1, 3, 4, 5, 7]);
  assert.equal(parseIndexSet("").size, 0);
  assert.equal(parseIndexSet(undefined).size, 0);
});

test("any other text is refused", () => {
  for (const text of [",", "1,", "a", "1-", "-1", "1--2", "1 ,2", "1.5"])
    assert.throws(() => parseIndexSet(text), /not a set of completion indexes/, text);
});
