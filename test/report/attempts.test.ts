import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt } from "../../src/model/run.ts";
import { describeEnd } from "../../src/report/attempts.ts";
import { attemptOf, recordOf } from "./support/run.ts";

const { exitCode: _, ...ended } = attemptOf("a", 0, 60);
const { end: __, ...running } = ended;
const { start: ___, ...waiting } = running;

const cases: readonly (readonly [string, Attempt])[] = [
  ["waiting", waiting],
  ["running", running],
  ["done", { ...ended, exitCode: 0 }],
  ["input refused", { ...ended, exitCode: 3 }],
  ["memory ceiling", { ...ended, exitCode: 4 }],
  ["storage failed", { ...ended, exitCode: 75 }],
  ["out of memory", { ...ended, exitCode: 137, reason: "OOMKilled" }],
  ["out of memory", { ...ended, exitCode: 0, reason: "OOMKilled" }],
  ["out of memory", { ...ended, exitCode: 134 }],
  ["killed", { ...ended, exitCode: 137 }],
  ["killed", { ...ended, signal: "SIGKILL" }],
  ["disrupted", { ...ended, exitCode: 143, reason: "DisruptionTarget" }],
  ["disrupted", { ...ended, reason: "Evicted" }],
  ["failed", { ...ended, exitCode: 9 }],
  ["failed", ended],
];

for (const [word, attempt] of cases) {
  test(`${word}: exit ${attempt.exitCode}, ${attempt.reason ?? attempt.signal ?? "no reason"}`, () => {
    assert.equal(describeEnd(attempt, undefined), word);
  });
}

test("the worker's own word counts more than the backend's exit code", () => {
  const refused = attemptOf("a", 0, 60, { exitCode: 3 });
  assert.equal(describeEnd({ ...refused, exitCode: 1 }, recordOf(refused, "a", 1e8)), "input refused");
});
