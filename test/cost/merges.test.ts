import assert from "node:assert/strict";
import { test } from "node:test";
import { listMerges } from "../../src/cost/merges.ts";
import { attemptOf, donePair, endAll, GiB, recordOf, viewOf } from "../support/run-view.ts";

test("an attempt that found its pair done is a good end, and stands for a merge that was lost", () => {
  const lost = attemptOf("a0", 0, 60, { reason: "DisruptionTarget", exitCode: 143 });
  const found = attemptOf("a1", 80, 84);
  const record = recordOf(found, "a", GiB);
  const already = { ...record, result: { ...record.result, outcome: "already done" } } as const;
  const pair = { ...donePair("a", 0, 60), ...endAll([lost, found], [already]) };
  assert.deepEqual(
    listMerges(viewOf([pair])).map(({ seconds }) => seconds),
    [4],
  );
  const merged = { ...pair, ...endAll([attemptOf("a0", 0, 60), found], [already]) };
  assert.deepEqual(
    listMerges(viewOf([merged])).map(({ seconds }) => seconds),
    [60],
  );
});
