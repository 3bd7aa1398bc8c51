import assert from "node:assert/strict";
import { test } from "node:test";
import { Snapshot } from "../../../src/backend/kubernetes/snapshot.ts";
import { ended, jobName, makeJob, makePod, pending, running } from "./shapes.ts";
import { makeLaunch } from "./support.ts";

const launch = makeLaunch({}, 2);
const requested = { vcpu: 8 };

function makeSnapshot(): Snapshot {
  return new Snapshot(
    { items: [makeJob()], version: "10" },
    { items: [makePod(0, running), makePod(1, pending)], version: "11" },
  );
}

const statesOf = (snapshot: Snapshot) => snapshot.statusesOf(launch, requested).map(({ state }) => state);

test("a snapshot follows every change of a watch, and the version to watch from", () => {
  const snapshot = makeSnapshot();
  assert.deepEqual(statesOf(snapshot), ["running", "waiting"]);
  snapshot.apply("pods", { type: "MODIFIED", object: makePod(1, running, { resourceVersion: "12" }) });
  assert.deepEqual(statesOf(snapshot), ["running", "running"]);
  assert.deepEqual([snapshot.versionOf("jobs"), snapshot.versionOf("pods")], ["10", "12"]);
  snapshot.apply("pods", { type: "MODIFIED", object: makePod(0, ended(3, "Error"), { resourceVersion: "13" }) });
  assert.deepEqual(statesOf(snapshot), ["waiting", "running"]);
  snapshot.apply("jobs", { type: "MODIFIED", object: makeJob({ failedIndexes: "0" }, { resourceVersion: "14" }) });
  assert.deepEqual(statesOf(snapshot), ["failed", "running"]);
  assert.equal(snapshot.versionOf("jobs"), "14");
});

test("a snapshot follows added and deleted objects", () => {
  const snapshot = makeSnapshot();
  snapshot.apply("pods", {
    type: "ADDED",
    object: makePod(0, running, { creationTimestamp: "2026-11-21T06:01:00Z" }, "later"),
  });
  assert.equal(snapshot.statusesOf(launch, requested)[0]?.attempts.length, 2);
  snapshot.apply("pods", { type: "DELETED", object: makePod(0, running) });
  const [status] = snapshot.statusesOf(launch, requested);
  assert.deepEqual(
    status?.attempts.map(({ id }) => id),
    [`${jobName}-0-later`],
  );
  snapshot.apply("jobs", { type: "DELETED", object: makeJob() });
  assert.deepEqual(statesOf(snapshot), ["running", "cancelled"]);
});

test("a bookmark changes the version only", () => {
  const snapshot = makeSnapshot();
  const before = snapshot.statusesOf(launch, requested);
  snapshot.apply("pods", { type: "BOOKMARK", object: { metadata: { resourceVersion: "99" } } });
  assert.equal(snapshot.versionOf("pods"), "99");
  assert.deepEqual(snapshot.statusesOf(launch, requested), before);
});

test("pods of another Job do not belong to the launch", () => {
  const snapshot = makeSnapshot();
  snapshot.apply("pods", {
    type: "ADDED",
    object: makePod(0, running, { labels: { "batch.kubernetes.io/job-name": "other" } }, "other"),
  });
  assert.equal(snapshot.podsOf(launch).length, 2);
});
