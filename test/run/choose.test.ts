import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { chooseRun, findRun, newRecord, type RunRequest, reopen } from "../../src/run/choose.ts";
import { formatDocument, runPaths } from "../../src/run/documents.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import { scratchFolder } from "../support/folder.ts";
import { failureOf, makeSettings } from "../support/job.ts";
import { makeLaunch, makeRecord } from "../support/run.ts";

const folder = await scratchFolder("open");
const store = createLocalStore(false);

function newRequest(given: Partial<RunRequest> = {}): RunRequest {
  const output = mkdtempSync(join(folder, "out-"));
  return { pairs: ["audusd"], backend: "local", settings: makeSettings({ output, input: folder }), ...given };
}

/** Writes the record of a chosen run, as its controller does. */
async function begin(request: RunRequest, run: string): Promise<void> {
  const record = newRecord(run, "0.0.0", request, []);
  await store.writeText(runPaths(store, request.settings.output, run).record, formatDocument(record));
}

describe("the name of a run", () => {
  it("is the day and a letter, a new one for each controller", async () => {
    const request = newRequest();
    const runs = await Promise.all(Array.from({ length: 28 }, () => chooseRun(store, request)));
    const letters = runs.map(({ run }) => run.replace(/^\d{4}-\d\d-\d\d-/, "")).sort();
    const alphabet = [..."abcdefghijklmnopqrstuvwxyz"];
    assert.deepEqual(letters, [...alphabet, "aa", "ab"].sort());
  });

  it('can be chosen; "last" is the newest run', async () => {
    const request = newRequest();
    for (const wanted of ["first", "second"]) {
      assert.equal((await chooseRun(store, { ...request, wanted })).run, wanted);
      await begin(request, wanted);
    }
    assert.equal((await findRun(store, request.settings.output)).run, "second");
    assert.equal((await chooseRun(store, { ...request, wanted: "last" })).record?.run, "second");
    assert.equal((await chooseRun(store, { ...request, wanted: "first" })).record?.run, "first");
  });

  it("is free again if its controller was killed before it wrote a record", async () => {
    const request = newRequest();
    await chooseRun(store, { ...request, wanted: "x" });
    assert.deepEqual(await chooseRun(store, { ...request, wanted: "x" }), { run: "x" });
    await begin(request, "x");
    await chooseRun(store, { ...request, wanted: "y" });
    assert.equal((await findRun(store, request.settings.output)).run, "x");
  });

  it("is refused if there is no such run, with a list of the runs, and if it is a path", async () => {
    const request = newRequest();
    await chooseRun(store, { ...request, wanted: "x" });
    await begin(request, "x");
    const { output } = request.settings;
    assert.match((await failureOf(findRun(store, output, "y"))).message, /no run y: found runs x/);
    assert.match((await failureOf(findRun(store, output, "../x"))).message, /not a valid run name: found "..\/x"/);
  });
});

it("a finished run begins again; an unfinished one is continued", () => {
  const open = makeRecord(["audusd"]);
  assert.equal(reopen(open), open);
  const handles = [{ backend: "local", name: "run-0", launch: makeLaunch(["audusd"]) }] as const;
  const over = reopen({ ...open, handles, cancelled: true, finished: "2026-11-21T06:00:00.000Z" });
  assert.deepEqual([over.finished, over.cancelled, over.countFrom], [undefined, false, 1]);
});
