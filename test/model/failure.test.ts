import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitCode, outcomeOf } from "../../src/model/exit-code.ts";
import { describeProblem, Failure, failOn, summarize, toFailure } from "../../src/model/failure.ts";

const problem = { what: "key column missing", found: "columns a, b", fix: "name the key with --key" };

test("a problem is one line: what, what was found, what to do", () => {
  assert.equal(describeProblem(problem), "key column missing: found columns a, b; name the key with --key");
  assert.equal(
    describeProblem({ ...problem, table: "mkt_mean" }),
    "mkt_mean: key column missing: found columns a, b; name the key with --key",
  );
});

test("a problem without anything found says what is wrong and what to do", () => {
  const nothing = { what: "no pair to merge", fix: "name one with --pairs" };
  assert.equal(describeProblem(nothing), "no pair to merge: name one with --pairs");
  assert.equal(describeProblem({ ...nothing, table: "x" }), "x: no pair to merge: name one with --pairs");
});

test("a failure lists every problem", () => {
  assert.doesNotThrow(() => failOn(ExitCode.input, []));
  const two = [problem, { ...problem, table: "x" }];
  assert.throws(
    () => failOn(ExitCode.input, two),
    (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.exitCode, 3);
      assert.equal(error.problems, two);
      assert.equal(error.message, two.map(describeProblem).join("\n"));
      return true;
    },
  );
});

const errors: [string, number, RegExp][] = [
  ["ENOSPC", 75, /the disk is full/],
  ["EDQUOT", 75, /quota/],
  ["EIO", 75, /I\/O error/],
  ["EMFILE", 75, /ulimit -n/],
  ["EFBIG", 3, /ulimit -f/],
  ["ELOOP", 3, /link leads back to itself/],
  ["ENAMETOOLONG", 3, /choose a shorter one/],
  ["EISDIR", 3, /folder has the name of a file/],
  ["ENOTDIR", 3, /file has the name of a folder/],
  ["EACCES", 3, /permission/],
  ["EROFS", 3, /read-only/],
  ["EWHATEVER", 1, /run again/],
];

for (const [code, exitCode, advice] of errors) {
  test(`${code} ends with exit ${exitCode} and advice`, () => {
    const cause = Object.assign(new Error(`${code}: write`), { code });
    const failure = toFailure(cause);
    assert.equal(failure.exitCode, exitCode);
    assert.match(failure.problems[0]?.fix ?? "", advice);
    assert.equal(failure.problems[0]?.found, `${code}: write`);
    assert.equal(failure.cause, cause);
  });
}

test("a failure stays itself; any other value is unexpected", () => {
  const failure = new Failure(ExitCode.memory, [problem]);
  assert.equal(toFailure(failure), failure);
  assert.equal(toFailure("thrown text").exitCode, 1);
  assert.equal(toFailure("thrown text").problems[0]?.found, "thrown text");
  assert.equal(toFailure(undefined).problems[0]?.found, "undefined");
});

test("every exit code has its word, each its own", () => {
  const codes = Object.values(ExitCode);
  assert.equal(new Set(codes.map((code) => outcomeOf[code])).size, codes.length);
});

test("of many problems that are alike only ten are told, and the last counts the rest", () => {
  const many = Array.from({ length: 40_000 }, (_, index) => ({
    what: `column ${index}`,
    fix: "extract it",
    table: "a",
  }));
  const other = { what: "missing", fix: "add it", table: "b" };
  const { problems, message } = new Failure(ExitCode.input, [...many, other]);
  assert.deepEqual(problems.slice(8), [{ ...many[8] }, { ...many[9], more: 39_990 }, other]);
  assert.match(message, /a: column 9: extract it; and 39,990 more like this\nb: missing: add it$/);
  assert.deepEqual(new Failure(ExitCode.input, problems).problems, problems, "a second time changes nothing");
  const found = many.map(({ what }) => what);
  assert.deepEqual(
    summarize(found, (what) => ({ what, fix: "extract it", table: "a" })),
    problems.slice(0, 10),
  );
});

test("problems of thousands of tables and of unlimited length are cut", () => {
  const many = Array.from({ length: 5000 }, (_, index) => ({ what: "missing", fix: "add it", table: `t${index}` }));
  const { problems } = new Failure(ExitCode.input, many);
  assert.equal(problems.length, 2000);
  assert.equal(problems.at(-1)?.more, 3000);
  const [long] = new Failure(ExitCode.input, [{ what: "a", found: "x".repeat(1e6), fix: "b" }]).problems;
  assert.equal(long?.found, `${"x".repeat(4000)}… (996,000 more characters)`);
});
