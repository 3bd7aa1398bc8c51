import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDocument, RecordDocument, WorkerRecordDocument } from "../../src/model/run-documents.ts";
import { makeLaunch, makeRecord, makeWorkerRecord } from "../support/run.ts";

test("sound documents, also with entries of a later version, have no problem", () => {
  const handles = [{ backend: "local", name: "run-0", launch: makeLaunch(["audusd"]) }] as const;
  const record = { ...makeRecord(["audusd"], { handles }), later: [1] };
  assert.deepEqual(checkDocument(RecordDocument, record, "run.json"), []);
  assert.deepEqual(checkDocument(WorkerRecordDocument, makeWorkerRecord(), "1.json"), []);
});

test("each damaged entry is named with what was found", () => {
  const { cancelled: _, ...record } = makeRecord(["audusd"], { created: "never" });
  const problems = checkDocument(RecordDocument, { ...record, pairs: ["../x"], generation: -1 }, "run.json");
  assert.deepEqual(
    problems.map(({ what, found }) => [what, found]),
    [
      ["run.json: created is not a time such as 2026-11-21T06:00:00Z", '"never"'],
      ["run.json: pairs.0 is not pair names of letters, digits, _ and -, at most 63, such as audusd", '"../x"'],
      ["run.json: cancelled is missing", undefined],
      ["run.json: generation is not a number from 0 on", "-1"],
    ],
  );
});
