import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ExitCode } from "../../src/model/exit-code.ts";
import type { Problem } from "../../src/model/failure.ts";
import { decodeOutcome, encodeOutcome, toOutcome, type WorkerOutcome } from "../../src/model/outcome.ts";
import { GiB, makeWorkerRecord } from "../support/run.ts";

const problem: Problem = { what: "it broke\nin two", found: "x", fix: "y" };

function makeOutcome(problems: readonly Problem[], given: Partial<WorkerOutcome> = {}): WorkerOutcome {
  const { result } = makeWorkerRecord({ exitCode: 4 });
  return { ...toOutcome({ ...result, problems, seconds: 2, peakMemoryBytes: GiB }), ...given };
}

describe("the outcome of a worker", () => {
  it("begins with one line for people, with pair and exit code", () => {
    const outcome = makeOutcome([problem, problem]);
    assert.equal(
      outcome.message,
      "audusd: exit 4 memory ceiling: it broke in two: found x; y (and 1 more); 2.00 s, peak 1.00 GiB of 1.00 GiB",
    );
    assert.ok(encodeOutcome(outcome).startsWith(`{"message":"${outcome.message}",`));
  });

  it("of a good end says how much was merged", () => {
    const { result } = makeWorkerRecord();
    const outcome = toOutcome({ ...result, rows: 1000, columns: 20 }, { tablesDone: 5, tables: 5 });
    assert.equal(outcome.message, "audusd: exit 0 done: 1,000 rows × 20 columns; 1.00 s, peak 0 B of 1.00 GiB");
    assert.deepEqual(decodeOutcome(encodeOutcome(outcome)), outcome);
    assert.deepEqual(outcome.progress, { tablesDone: 5, tables: 5 });
  });

  it("leaves out the last problems where they do not fit, and counts them", () => {
    const problems = Array.from({ length: 667 }, (_, index) => ({ ...problem, table: `table_${index}` }));
    const json = encodeOutcome(makeOutcome(problems));
    assert.ok(Buffer.byteLength(json) <= 4096);
    const { problems: kept, problemsOmitted } = decodeOutcome(json) ?? assert.fail(json);
    assert.deepEqual(kept, problems.slice(0, kept.length));
    assert.equal(kept.length + (problemsOmitted ?? 0), 667);
    const next = JSON.stringify(problems[kept.length]);
    assert.ok(Buffer.byteLength(json) + Buffer.byteLength(next) >= 4096 - 10, "one more would not have fitted");
  });

  it("is valid JSON within 4,096 bytes whatever the texts hold, and comes back with the same first problems", () => {
    const text = fc.string({ unit: "binary", maxLength: 3000 });
    const anyProblem = fc.record(
      { what: text, found: text, fix: text, table: text },
      { requiredKeys: ["what", "fix"], noNullPrototype: true },
    );
    const anyEnd = fc.record({
      message: text,
      exitCode: fc.constantFrom(...Object.values(ExitCode)),
      outcome: fc.constantFrom("done" as const, "already done" as const, "memory ceiling" as const),
      seconds: fc.double({ min: 0, max: 1e9, noNaN: true }),
      peakMemoryBytes: fc.maxSafeNat(),
      problemsOmitted: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(anyProblem, { maxLength: 20 }), anyEnd, (problems, given) => {
        const outcome = makeOutcome(problems, given);
        const json = encodeOutcome(outcome);
        assert.ok(Buffer.byteLength(json) <= 4096, `${Buffer.byteLength(json)} bytes`);
        const read = decodeOutcome(json) ?? assert.fail(json);
        assert.deepEqual(read.problems, JSON.parse(JSON.stringify(problems.slice(0, read.problems.length))));
        assert.equal(read.problems.length + (read.problemsOmitted ?? 0), problems.length + given.problemsOmitted);
        const { message: _, problems: __, problemsOmitted: ___, ...rest } = read;
        const { message: ____, problems: _____, problemsOmitted: ______, ...wanted } = outcome;
        assert.deepEqual(rest, wanted);
      }),
    );
  });

  it("is read as one line of plain text of at most 1,000 characters", () => {
    const read = decodeOutcome(encodeOutcome(makeOutcome([], { message: `a\n\u001b[31m${"x".repeat(2000)}` })));
    assert.match(read?.message ?? "", /^a \[31mx+…?$/);
    assert.ok((read?.message.length ?? 0) <= 1000);
  });

  it("is not found in any other text: a log, a cut document, another format, another program's JSON", () => {
    const json = encodeOutcome(makeOutcome([problem]));
    const { format: _, ...others } = makeOutcome([]);
    const texts = [
      undefined,
      "",
      "audusd: exit 4 memory ceiling",
      json.slice(0, -1),
      `${json}${json}`,
      "null",
      "[]",
      '{"message":"x"}',
      JSON.stringify({ ...others, format: 2 }),
      JSON.stringify({ ...others, format: 1, exitCode: 42 }),
      JSON.stringify({ ...others, format: 1, problems: ["x"] }),
    ];
    for (const text of texts) assert.equal(decodeOutcome(text), undefined, `${text}`);
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => decodeOutcome(text) === undefined));
  });

  it("may have entries that this version does not know", () => {
    const outcome = makeOutcome([problem]);
    assert.deepEqual(decodeOutcome(JSON.stringify({ ...outcome, novel: 1 })), outcome);
  });
});
