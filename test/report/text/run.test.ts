import assert from "node:assert/strict";
import { test } from "node:test";
import { joinLines } from "../../../src/cli/print.ts";
import { predictCost } from "../../../src/cost/forecast.ts";
import { costOfRun } from "../../../src/cost/run-cost.ts";
import type { RunView } from "../../../src/model/run.ts";
import { describeForecast, describeRun } from "../../../src/report/text/run.ts";
import { donePair, exampleRun, GiB, googlePrices, viewOf } from "../../support/run-view.ts";

const describe = (view: RunView): string[] => joinLines(describeRun(view, costOfRun(view, googlePrices))).split("\n");

test("a run: one line per pair, the reason of a failure, the sums, the date of the price list", () => {
  const lines = describe(exampleRun());
  assert.equal(lines[0], "run 2026-11-21-a on kubernetes: 27 pairs: 24 done, 1 failed, 1 done before, 1 running");
  const line = (pair: string): string => lines.find((one) => one.startsWith(pair)) ?? "";
  assert.match(line("audusd"), /^audusd +done +2 +668 +1\.21 GiB \/ 50\.0 GiB +2 min 54 s +\$0\.035$/);
  assert.match(line("chfjpy"), /^chfjpy +running +1 +412 of 668 +645 MiB \/ 50\.0 GiB +80\.0 s +at least \$0\.013$/);
  assert.match(line("cadchf"), /^cadchf +done before +668 +\$0\.00$/);
  assert.ok(lines.includes("  gbpnzd: its input was refused: 2 problems, the first: table missing"));
  assert.match(
    lines.join("\n"),
    /estimated at least \$0\.69; storage \$4\.80 a month; prices: google-us-central1 of 2026-11-21/,
  );
});

test("texts from outside cannot move the cursor or begin a line", () => {
  const pair = {
    ...donePair("audusd", 0, 60),
    state: "failed",
    why: "\u001b[2Jgone\nforged line\u0007\u009b1m",
  } as const;
  const text = describe(viewOf([pair])).join("\n");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  assert.match(text, /audusd: \\u001b\[2Jgone\\nforged line\\u0007\\u009b1m/);
});

test("a forecast", () => {
  const pairs = [{ pair: "audusd", spot: false, seconds: 3600, vcpu: 8, memoryBytes: 50 * GiB, outputBytes: 9.6e9 }];
  const forecast = { backend: "kubernetes", output: "gs://fx/training", parallelism: 1, pairs } as const;
  const text = joinLines(describeForecast(predictCost(forecast, googlePrices)));
  assert.match(
    text,
    /^pair +cost\naudusd +\$0\.60\n\nestimated \$0\.70 if every pair is started once; storage \$0\.19 a month/,
  );
});

test("the tables of all pairs that have other rows than the targets, the worst first, at most ten", () => {
  const lines = describe(viewOf([donePair("eurjpy", 0, 60, 2), donePair("audusd", 0, 60, 11)]));
  const from = lines.indexOf("  13 tables of 2 pairs have other rows than the targets:");
  assert.deepEqual(lines.slice(from + 1, from + 3), [
    "    audusd/pair_lag_000  95,000 of 100,000 rows matched, 5,000 null-filled, 7 dropped",
    "    audusd/pair_lag_001  95,500 of 100,000 rows matched, 4,500 null-filled, 7 dropped",
  ]);
  const named = lines.slice(from + 1, from + 11).map((line) => line.trim().split(" ")[0]);
  assert.deepEqual(named.slice(-3), ["audusd/pair_lag_007", "audusd/pair_lag_008", "eurjpy/pair_lag_000"]);
  assert.deepEqual(lines.slice(from + 11, from + 13), ["    and 3 more: --json lists all", ""]);
  assert.doesNotMatch(describe(viewOf([donePair("a", 0, 60, 0)])).join("\n"), /other rows/);
});

test("a run on this machine has no costs, unless it uses a bucket", () => {
  const local = { backend: "local", input: "in", output: "out" } as const;
  const pair = { ...donePair("a", 0, 60), records: [] };
  assert.doesNotMatch(describe(viewOf([pair], local)).join("\n"), /cost|\$|price/);
  assert.match(
    describe(viewOf([pair], { ...local, output: "gs://fx/training" })).join("\n"),
    /storage \$0\.19 a month/,
  );
});
