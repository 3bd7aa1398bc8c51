import assert from "node:assert/strict";
import { test } from "node:test";
import { joinLines } from "../../../src/cli/print.ts";
import type { Problem } from "../../../src/model/failure.ts";
import type { Plan, TablePlan } from "../../../src/model/plan.ts";
import type { PairResult, Verification } from "../../../src/model/result.ts";
import * as lines from "../../../src/report/text/pair.ts";

/** The texts as they are printed. */
const describeResult = (result: PairResult) => joinLines(lines.describeResult(result));
const describeProblems = (problems: readonly Problem[]) => joinLines(lines.describeProblems(problems));
const describePlan = (plan: Plan, withTables: boolean) => joinLines(lines.describePlan(plan, withTables));
const describeVerification = (verification: Verification) => joinLines(lines.describeVerification(verification));

const GiB = 2 ** 30;
const result: PairResult = {
  pair: "audusd",
  outcome: "done",
  exitCode: 0,
  rows: 100_000,
  columns: 17_038,
  tables: { total: 668, spliced: 660, aligned: 8 },
  partialTables: [],
  ignored: [],
  bytes: { read: 13.5e9, written: 13.4e9 },
  peakMemoryBytes: 0.3 * GiB,
  predictedPeakBytes: 0.4 * GiB,
  ceilingBytes: 50 * GiB,
  seconds: 12.7,
  stages: [],
  output: "training/training_audusd.parquet",
  manifest: "training/training_audusd.manifest.json",
  problems: [],
};
const problem = { what: "duplicate keys", found: "2 rows", fix: "extract the table again", table: "mkt_mean" };

test("a merge in one line", () => {
  assert.equal(
    describeResult(result),
    "audusd  100,000 rows × 17,038 columns  |  668 tables: 660 spliced, 8 aligned  |  12.7 s  |  peak 307 MiB of 50.0 GiB  |  training/training_audusd.parquet\n",
  );
  assert.match(
    describeResult({ ...result, outcome: "already done" }),
    / {2}\| {2}already done, nothing changed {2}\| {2}/,
  );
});

test("a merge with tables of other rows: what each fills and loses, the worst first", () => {
  const counts = [
    { table: "shifted", rowsMatched: 0, rowsNullFilled: 100_000, rowsDropped: 100_000 },
    { table: "b", rowsMatched: 98_796, rowsNullFilled: 1204, rowsDropped: 3 },
  ];
  const printed = describeResult({ ...result, partialTables: counts, ignored: ["notes.csv", "old/"] }).split("\n");
  assert.deepEqual(printed.slice(1), [
    "  2 tables have other rows than the targets:",
    "    shifted  0 of 100,000 rows matched, 100,000 null-filled, 100,000 dropped",
    "    b        98,796 of 100,000 rows matched, 1,204 null-filled, 3 dropped",
    "  ignored: notes.csv, old/",
    "",
  ]);
  const many = Array.from({ length: 12 }, () => ({ table: "t", rowsMatched: 1, rowsNullFilled: 1, rowsDropped: 0 }));
  assert.match(describeResult({ ...result, partialTables: many }), /\n {4}and 2 more: --json lists all\n$/);
});

test("a merge that was stopped: the cause, and one line per problem", () => {
  const stopped = { ...result, outcome: "input refused", exitCode: 3, problems: [problem, problem] } as const;
  assert.equal(
    describeResult(stopped),
    `audusd: input refused (exit 3) after 12.7 s, peak 307 MiB of 50.0 GiB
  - mkt_mean: duplicate keys: found 2 rows; extract the table again
  - mkt_mean: duplicate keys: found 2 rows; extract the table again
`,
  );
  assert.equal(describeProblems([]), "");
});

function plan(
  name: string,
  action: TablePlan["action"],
  reason: string,
  facts: Partial<TablePlan> = { sameKeys: true },
): TablePlan {
  const file = { table: name, path: `in/${name}.parquet`, size: 2e6, version: "1" };
  const counts = {
    rows: 100_000,
    rowsDropped: 0,
    rowsNullFilled: 0,
    duplicateRows: 0,
    nullKeyRows: 0,
    bytes: 1.9e6,
    decodedBytes: 3e6,
    leftOut: [],
    changedTypes: [],
  };
  return {
    file,
    action,
    reason,
    sameKeys: false,
    ...counts,
    ...facts,
    columns: [{ input: "x", output: `${name}_x` }],
  };
}

const tables = [
  plan("targets", "splice", "same bytes as the targets' key"),
  plan("a", "splice", "same bytes as the targets' key"),
  plan("b", "align", "1,204 rows missing, 3 rows not in the targets", { rowsNullFilled: 1204, rowsDropped: 3 }),
  plan("c", "align", "7 rows missing, 12 rows not in the targets", { rowsNullFilled: 7, rowsDropped: 12 }),
  plan("d", "align", "row groups 1 × 100,000 where the output has 2 × 50,000"),
  plan("e", "align", "row groups 3 × 33,000 + 1 more where the output has 2 × 50,000"),
];
const whole: Plan = {
  pair: "audusd",
  rows: 100_000,
  columns: 6,
  rowGroups: [50_000, 50_000],
  tables,
  excluded: [],
  partialTables: [],
  ignored: [],
  digest: "",
  outputBytes: 11.4e6,
  readBytes: 12e6,
  predictedPeakBytes: 0.25 * GiB,
  ceilingBytes: GiB,
  predictedSeconds: 0.53,
  assembly: { how: "stream", why: "folders of this machine are copied" },
};

test("a plan, with its reasons counted", () => {
  assert.equal(
    describePlan(whole, false),
    `audusd
  tables     6: 2 spliced, 4 aligned
             2 × splice: same bytes as the targets' key
             2 × align: rows missing, rows not in the targets
             2 × align: row groups other than the output's
  output     100,000 rows × 6 columns, 2 row groups, about 11.4 MB
  read       12.0 MB
  assembly   stream: folders of this machine are copied
  memory     256 MiB predicted peak, fits under the ceiling of 1.00 GiB
  time       about 0.53 s
`,
  );
});

test("a plan with tables of other rows and files that are no tables", () => {
  const partialTables = [{ table: "b", rowsMatched: 98_796, rowsNullFilled: 1204, rowsDropped: 3 }];
  const text = describePlan({ ...whole, partialTables, ignored: ["notes.csv"] }, false);
  assert.ok(
    text.endsWith(
      "\n  1 table has other rows than the targets:\n    b  98,796 of 100,000 rows matched, 1,204 null-filled, 3 dropped\n  ignored: notes.csv\n",
    ),
    text,
  );
});

test("a plan names the columns that change their types, some of many", () => {
  const change = (count: number) => {
    const changedTypes = Array.from({ length: count }, (_, at) => ({
      column: `c${at}`,
      from: "duration[us]",
      to: "INT64",
    }));
    return describePlan({ ...whole, tables: [plan("a", "splice", "", { sameKeys: true, changedTypes })] }, false);
  };
  assert.match(change(1), /\n {2}types {6}1 column changes its type:\n {13}c0: duration\[us\] → INT64\n {2}output/);
  assert.match(change(9), /9 columns change their types:\n.*c7: .*\n {13}and 1 more: --json lists all\n {2}output/s);
});

test("the reasons for aligning, without their numbers", () => {
  const reasons = [
    plan("a", "align", "", {}),
    plan("b", "align", "", { duplicateRows: 2, rowsDropped: 2 }),
    plan("c", "align", "", { rowsNullFilled: 1, duplicateRows: 2, rowsDropped: 3 }),
  ];
  const printed = describePlan({ ...whole, tables: reasons }, false)
    .split("\n")
    .slice(2, 5);
  assert.deepEqual(
    printed.map((line) => line.trim()),
    [
      "1 × align: rows in another order",
      "1 × align: duplicate rows",
      "1 × align: rows missing, rows not in the targets, duplicate rows",
    ],
  );
});

test("a plan names the tables that are left out, some of many", () => {
  const leftOut = (...excluded: string[]) => describePlan({ ...whole, excluded }, false).split("\n")[5];
  assert.equal(leftOut("x"), "  left out   1 table: x");
  const many = Array.from({ length: 10 }, (_, index) => `t${index}`);
  assert.equal(leftOut(...many), "  left out   10 tables: t0, t1, t2, t3, t4, t5, t6, t7, and 2 more");
});

test("a plan names the tables whose index is left out", () => {
  const indexed = ["a", "b"].map((name) => plan(name, "splice", "same", { leftOut: ["__index_level_0__"] }));
  const printed = describePlan({ ...whole, tables: indexed }, false).split("\n");
  assert.equal(printed[3], "  index      pandas' index of 2 tables: a, b: left out, --keep-index keeps it");
});

test("a plan, table by table", () => {
  const printed = describePlan(whole, true).split("\n").slice(10);
  assert.equal(printed[0], "  splice  targets  100,000 rows × 1 column, 1.90 MB  same bytes as the targets' key");
  assert.equal(
    printed[2],
    "  align  b  100,000 rows × 1 column, 1.90 MB  1,204 rows missing, 3 rows not in the targets",
  );
  assert.equal(printed.length, 7);
});

test("a plan that does not fit: the guard stops at 97% of the ceiling", () => {
  assert.match(describePlan({ ...whole, predictedPeakBytes: 0.97 * GiB }, false), /peak, fits under/);
  assert.match(describePlan({ ...whole, predictedPeakBytes: 0.98 * GiB }, false), /peak, does not fit under/);
});

const verification: Verification = {
  target: "audusd.parquet",
  level: "sample",
  rows: 100_000,
  columns: 17_038,
  rowGroups: 1,
  pages: 34_076,
  columnsCompared: 668,
  valuesCompared: 66_800_000,
  problems: [],
};

test("a verification that passed", () => {
  assert.equal(
    describeVerification(verification),
    "audusd.parquet: sample check passed: 100,000 rows × 17,038 columns, 1 row group, 34,076 pages walked, 668 columns (66,800,000 values) equal to their sources\n",
  );
  assert.match(describeVerification({ ...verification, columnsCompared: 0 }), /34,076 pages walked\n$/);
});

test("a verification that failed", () => {
  assert.equal(
    describeVerification({ ...verification, problems: [problem] }),
    "audusd.parquet: sample check failed\n  - mkt_mean: duplicate keys: found 2 rows; extract the table again\n",
  );
});
