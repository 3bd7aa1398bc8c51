/** Which workers may begin: those of the run's present controller, and those that it has adopted. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { isReplaced, placeVariables, readPlace } from "../../src/model/generation.ts";
import type { RunRecord } from "../../src/model/run.ts";
import { admitWorker } from "../../src/run/admission.ts";
import { formatDocument, runPaths } from "../../src/run/documents.ts";
import { MemoryStore } from "../simulation/memory-store.ts";
import { failureOf } from "../support/in-process.ts";
import { makeLaunch, makeRecord } from "../support/run.ts";

const launch = makeLaunch(["audusd"], { number: 2, generation: 1 });

function recordOf(backend: RunRecord["backend"], generation: number, given: Partial<RunRecord> = {}): RunRecord {
  return makeRecord(["audusd"], { backend, generation, handles: [{ backend, name: "run-2", launch }], ...given });
}

describe("a worker", () => {
  it("learns its place from the variables of its backend", () => {
    assert.deepEqual(readPlace(placeVariables(launch)), { launch: 2, generation: 1 });
    assert.deepEqual(readPlace(placeVariables(launch, 4)), { launch: 2, generation: 4 });
    assert.deepEqual(placeVariables(makeLaunch(["audusd"])), {}, "a launch of version 0.1.0");
    assert.equal(readPlace({ WIDEMERGE_LAUNCH: "2" }), undefined);
  });

  it("of a platform goes on under a later controller that has its launch, and under no other one", () => {
    const place = { launch: 2, generation: 1 };
    for (const backend of ["kubernetes", "cloudrun"] as const) {
      assert.ok(!isReplaced(place, recordOf(backend, 1)));
      assert.ok(!isReplaced(place, recordOf(backend, 5)));
      assert.ok(!isReplaced(place, recordOf(backend, 5, { handles: [], pending: launch })));
      assert.ok(isReplaced(place, recordOf(backend, 5, { handles: [] })));
      assert.ok(isReplaced({ ...place, generation: 2 }, recordOf(backend, 5)), "another launch of the same number");
    }
  });

  it("of this machine belongs to the controller that started it", () => {
    assert.ok(!isReplaced({ launch: 2, generation: 3 }, recordOf("local", 3)));
    assert.ok(isReplaced({ launch: 2, generation: 3 }, recordOf("local", 4)));
  });

  it("goes on if the store shows a record that is older than its start", () => {
    assert.ok(!isReplaced({ launch: 7, generation: 3 }, recordOf("kubernetes", 2)));
  });

  it("is refused by name before it begins", async () => {
    const store = new MemoryStore();
    const paths = runPaths(store, "out", "run");
    const worker = { output: "out", run: "run", launch: 2, generation: 1 };
    const refusal = async (): Promise<string> => {
      const failure = await failureOf(admitWorker(store, worker));
      assert.equal(failure.exitCode, ExitCode.superseded);
      return failure.message;
    };
    assert.match(
      await refusal(),
      /no place in run run any more: found no record of the run in out\/runs\/run\/run.json/,
    );
    await store.writeText(paths.record, formatDocument(recordOf("kubernetes", 1)));
    await admitWorker(store, worker);
    await store.writeText(paths.launch(2), formatDocument({ format: 1 }));
    assert.match(await refusal(), /found launch 2 is over/);
    await store.remove(paths.launch(2));
    await store.writeText(paths.record, formatDocument(recordOf("local", 2)));
    assert.match(await refusal(), /found generation 1 of the worker, 2 of the run/);
  });
});
