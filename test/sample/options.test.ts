import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";
import { parseSampleFlags } from "../../src/sample/options.ts";

test("without flags: 40 tables of all real days for the 27 pairs", () => {
  const { pairs, ...rest } = parseSampleFlags({});
  assert.equal(pairs.length, 27);
  const usual = { tables: 40, rows: 6983, misaligned: 0, duplicates: 0, seed: 1, force: false };
  assert.deepEqual(rest, { out: "checkpoints", ...usual });
});

test("flags are read", () => {
  const flags = {
    out: "x",
    pairs: "audusd, eurusd,audusd",
    full: true,
    rows: "100000",
    misaligned: ".5",
    duplicates: "1",
  };
  const options = parseSampleFlags({ ...flags, seed: "7", force: true });
  assert.deepEqual(options, {
    out: "x",
    pairs: ["audusd", "eurusd"],
    tables: "full",
    rows: 100_000,
    misaligned: 0.5,
    duplicates: 1,
    seed: 7,
    force: true,
  });
});

test("every problem is reported at once", () => {
  const numbers = { tables: "0", rows: "1", misaligned: "1.1", duplicates: "-0.1", seed: "x" };
  const read = () => parseSampleFlags({ out: "", pairs: "audusd,../x,", full: true, ...numbers });
  assert.throws(read, (failure) => {
    assert.ok(failure instanceof Failure);
    assert.equal(failure.exitCode, ExitCode.usage);
    const flags = failure.problems.map((problem) => problem.what.split(" ")[0]);
    const expected = ["--out", "--pairs", "--pairs", "--full", "--rows", "--misaligned", "--duplicates", "--seed"];
    assert.deepEqual(flags, expected);
    return true;
  });
});

test("numbers outside their range are refused with the range", () => {
  const least = { what: "--tables is out of range", found: '"0"', fix: "use a whole number from 1 to 667" };
  assert.throws(() => parseSampleFlags({ tables: "0" }), { problems: [least] });
  for (const rows of ["1", "2000001", "1e3", "", "-5", "10.5"])
    assert.throws(() => parseSampleFlags({ rows }), Failure);
  for (const misaligned of ["", "20%", "1.01", "nan", "1e-1"])
    assert.throws(() => parseSampleFlags({ misaligned }), Failure);
});
