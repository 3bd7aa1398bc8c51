import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { createBackend, shareMachine } from "../../src/app/create-backend.ts";
import { choosePair } from "../../src/app/task-pair.ts";
import { Settings } from "../../src/config/settings.ts";
import { Failure } from "../../src/model/failure.ts";
import { parallelismOf } from "../../src/run/launch.ts";
import { GiB } from "../support/run.ts";

describe("pairs side by side on one machine", () => {
  const free = { cpus: 4, memoryAvailableBytes: 20 * GiB };
  const share = (memoryCeiling: "auto" | number, parallelism: "auto" | number, limits = free) =>
    shareMachine({ memoryCeiling, parallelism }, limits);

  it("without a ceiling they share 80% of what is free, or all that a container has left", () => {
    assert.equal(share("auto", "auto").ceilingBytes, 4 * GiB);
    assert.equal(share("auto", 1).ceilingBytes, 16 * GiB);
    const contained = { ...free, memoryLimitBytes: 24 * GiB };
    assert.equal(share("auto", 2, contained).ceilingBytes, 10 * GiB);
  });

  it("with one, as many as fit under it together, at most one a CPU, at least one", () => {
    const many = (ceiling: number, parallelism: "auto" | number = "auto") => {
      const capacity = share(ceiling, parallelism);
      return parallelismOf(capacity, 100, capacity.ceilingBytes);
    };
    assert.deepEqual([many(GiB), many(5 * GiB), many(9 * GiB), many(50 * GiB)], [4, 3, 1, 1]);
    assert.deepEqual([many(GiB, 10), many(2 * GiB, 10)], [10, 8]);
    assert.equal(parallelismOf(share(GiB, "auto"), 2, GiB), 2);
    assert.equal(parallelismOf(share(GiB, "auto"), 100, 8 * GiB), 2);
  });
});

describe("larger ceilings, which are asked for when a pair has run out of memory, are refused before the run", () => {
  const settings = { memoryCeiling: "2GiB", memoryCeilings: "4GiB,200GiB", image: "registry.example/widemerge:1" };
  const cases = [
    ["kubernetes", { autopilot: true }, /at most 30 vCPU and 110 GiB/],
    ["cloudrun", {}, /at most 32 GiB/],
  ] as const;
  for (const [backend, more, says] of cases)
    it(backend, () => assert.rejects(createBackend(backend, v.parse(Settings, { ...settings, ...more })), says));

  it("but not where there is no such limit", async () => {
    assert.equal((await createBackend("kubernetes", v.parse(Settings, settings))).vcpu, 1);
  });
});

describe("the pair of a worker", () => {
  const pairs = ["audusd", "eurjpy"];

  it("is the one that is named, or that of the index", () => {
    assert.equal(choosePair("gbpusd", pairs, { JOB_COMPLETION_INDEX: "0" }), "gbpusd");
    assert.equal(choosePair(undefined, pairs, { JOB_COMPLETION_INDEX: "1" }), "eurjpy");
    assert.equal(choosePair(undefined, pairs, { CLOUD_RUN_TASK_INDEX: "0" }), "audusd");
  });

  const refused: readonly [string, string | undefined, Record<string, string>][] = [
    ["no index", undefined, {}],
    ["an index beyond the pairs", undefined, { JOB_COMPLETION_INDEX: "2" }],
    ["an index that is none", undefined, { JOB_COMPLETION_INDEX: "-1" }],
    ["an empty index", undefined, { JOB_COMPLETION_INDEX: "" }],
    ["a pair that is a path", "../x", {}],
  ];
  for (const [name, named, environment] of refused)
    it(`${name} is refused`, () => assert.throws(() => choosePair(named, pairs, environment), Failure));
});
