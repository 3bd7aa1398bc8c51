import assert from "node:assert/strict";
import { existsSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";
import { chooseRun, findRun, newRecord, type RunRequest, reopen } from "../../src/run/choose.ts";
import { formatDocument, runPaths } from "../../src/run/documents.ts";
import { takeLease } from "../../src/run/lease.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import { scratchFolder } from "../support/folder.ts";
import { failureOf, makeSettings } from "../support/in-process.ts";
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

describe("an unfinished run", () => {
  it("is continued by the same request only if it has started something", async () => {
    const request = newRequest();
    const { output } = request.settings;
    await chooseRun(store, { ...request, wanted: "refused" });
    await begin(request, "refused");
    assert.notEqual((await chooseRun(store, request)).run, "refused");
    await chooseRun(store, { ...request, wanted: "started" });
    const record = {
      ...newRecord("started", "0.0.0", request, []),
      pending: makeLaunch(["audusd"], { run: "started" }),
    };
    await store.writeText(runPaths(store, output, "started").record, formatDocument(record));
    const { run, notice } = await chooseRun(store, request);
    assert.equal(run, "started");
    assert.match(notice ?? "", /is not finished: continuing it$/);
  });

  it("without a launch belongs to the controller that is about to start one", async () => {
    const request = newRequest();
    await chooseRun(store, { ...request, wanted: "new" });
    await begin(request, "new");
    const lease = await takeLease(store, runPaths(store, request.settings.output, "new").lease, { run: "new" });
    assert.equal((await chooseRun(store, request)).run, "new");
    await lease.release();
  });

  it("is left alone by a request with other settings, which names every difference", async () => {
    const request = newRequest();
    const { output } = request.settings;
    await chooseRun(store, { ...request, wanted: "other" });
    const record = { ...newRecord("other", "0.0.0", request, []), pending: makeLaunch(["audusd"], { run: "other" }) };
    await store.writeText(runPaths(store, output, "other").record, formatDocument(record));
    const settings = makeSettings({ output, input: folder, requireMarker: false, key: "ts" });
    const { run, notice = "" } = await chooseRun(store, { ...request, settings });
    assert.notEqual(run, "other");
    assert.match(notice, /different key \("interval_time" in the run, "ts" requested\)/);
    assert.match(notice, /different requireMarker \(true in the run, false requested\)/);
  });
});

it("a new run that is refused leaves no trace", async () => {
  const request = newRequest();
  const refuse = () => Promise.reject(new Failure(ExitCode.usage, [{ what: "too large", fix: "make it smaller" }]));
  for (const wanted of [undefined, "named"])
    await failureOf(chooseRun(store, { ...request, ...(wanted === undefined ? {} : { wanted }) }, refuse));
  assert.equal(existsSync(join(request.settings.output, "runs")), false);
});

it("a finished run begins again; an unfinished one is continued", () => {
  const open = makeRecord(["audusd"]);
  assert.equal(reopen(open), open);
  const handles = [{ backend: "local", name: "run-0", launch: makeLaunch(["audusd"]) }] as const;
  const over = reopen({ ...open, handles, cancelled: true, finished: "2026-11-21T06:00:00.000Z" });
  assert.deepEqual([over.finished, over.cancelled, over.countFrom], [undefined, false, 1]);
});
