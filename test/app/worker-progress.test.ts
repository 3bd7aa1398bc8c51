import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { WorkerProgress } from "../../src/app/worker-progress.ts";
import type { WorkerEvent } from "../../src/model/event.ts";
import { decodeProgress } from "../../src/model/progress.ts";
import { scratchFolder } from "../support/folder.ts";

const folder = await scratchFolder("worker-progress");

function progressAt(tablesDone: number, stage: "merge" | "verify" = "merge"): WorkerEvent {
  return { type: "progress", stage, tablesDone, tables: 668, bytesDone: 0, bytesTotal: 0 };
}

describe("the progress of a worker", () => {
  it("is a document that is replaced whole, not at every table", (context) => {
    const path = join(folder, "progress.json");
    let now = 0;
    context.mock.method(performance, "now", () => now);
    const progress = new WorkerProgress({}, path);
    const read = () => decodeProgress(readFileSync(path, "utf8"));
    progress.onSample(5, 10);
    assert.deepEqual(read(), { tablesDone: 0, tables: 0, workingSetBytes: 5 });
    for (let table = 1; table <= 100; table += 1) progress.onEvent(progressAt(table));
    assert.equal(read()?.tablesDone, 0, "not within the first second");
    now = 1000;
    progress.onSample(7, 10);
    assert.deepEqual(read(), { tablesDone: 100, tables: 668, workingSetBytes: 7 });
    assert.deepEqual(readdirSync(folder), ["progress.json"]);
  });

  it("keeps the number of merged tables for the outcome, also while the output is verified", () => {
    const progress = new WorkerProgress({}, undefined);
    assert.equal(progress.merged, undefined);
    progress.onEvent(progressAt(668));
    progress.onEvent(progressAt(3, "verify"));
    assert.deepEqual(progress.merged, { tablesDone: 668, tables: 668 });
  });

  it("passes everything on, and a file that cannot be written disturbs nothing", () => {
    const seen: string[] = [];
    const observer = {
      onStart: () => seen.push("start"),
      onEvent: () => seen.push("event"),
      onSample: (bytes: number, ceilingBytes: number) => seen.push(`${bytes} of ${ceilingBytes}`),
      onWarning: (text: string) => seen.push(text),
      onEnd: () => seen.push("end"),
    };
    const progress = new WorkerProgress(observer, join(folder, "missing", "progress.json"));
    progress.onStart({ interrupt: () => undefined });
    progress.onEvent(progressAt(1));
    progress.onSample(1, 2);
    progress.onWarning("careful");
    progress.onEnd();
    assert.deepEqual(seen, ["start", "event", "1 of 2", "careful", "end"]);
    assert.ok(!existsSync(join(folder, "missing")));
  });

  it("is not found in any other text", () => {
    for (const text of ["", "{", "{}", '{"format":2,"tablesDone":1,"tables":2,"workingSetBytes":3}', '{"format":1}'])
      assert.equal(decodeProgress(text), undefined, text);
  });
});
