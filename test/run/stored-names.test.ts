/** Documents of a run whose names lead out of its folder: refused by name, and nothing is written anywhere. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { cancelRun } from "../../src/app/cancel-run.ts";
import { writeReport } from "../../src/app/write-report.ts";
import { Journal } from "../../src/backend/local/journal.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";
import type { Handle, RunRecord } from "../../src/model/run.ts";
import { runPaths } from "../../src/run/documents.ts";
import { checkLaunchEnd, checkRecord } from "../../src/run/stored-names.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import { scratchFolder } from "../support/folder.ts";
import { failureOf } from "../support/in-process.ts";
import { makeAttempt, makeLaunch, makeRecord, makeStand, makeStatus, type Stand } from "../support/run.ts";

const folder = await scratchFolder("stored-names");
const store = createLocalStore(false);
/** Names that are none of a run, a pair, a launch or an attempt. */
const escapes = ["../../escaped", "..", "a/b", "/etc/x", "a\0b", "", ".hidden", "x\n"];

function newStand(): Stand {
  const stand = makeStand(mkdtempSync(join(folder, "stand-")), ["audusd"]);
  mkdirSync(join(stand.output, "runs", "x"), { recursive: true });
  return stand;
}

/** Every path under a folder. */
function listAll(root: string): readonly string[] {
  return readdirSync(root, { recursive: true }).map(String).sort();
}

function writeRun({ output, settings }: Stand, record: Partial<RunRecord>, entry: object = { run: "x" }): void {
  const { input } = settings;
  const content = makeRecord(["audusd"], { run: "x", input, output, ...record });
  writeFileSync(join(output, "runs", "x.json"), JSON.stringify({ format: 1, created: content.created, ...entry }));
  writeFileSync(join(output, "runs", "x", "run.json"), JSON.stringify(content));
}

/** Both commands refuse the newest run with exit 3, write nothing, and say what they found in which document. */
async function checkRefused(stand: Stand, name: string, document: RegExp): Promise<void> {
  const given = { settings: stand.settings, stated: new Set<string>() };
  const above = join(stand.output, "..");
  const before = listAll(above);
  for (const command of [() => writeReport(undefined, given), () => cancelRun(undefined, given, { wait: false })]) {
    const failure = await failureOf(command());
    assert.equal(failure.exitCode, ExitCode.input, failure.message);
    assert.match(failure.message, document);
    assert.ok(failure.message.includes(JSON.stringify(name)), failure.message);
  }
  assert.deepEqual(listAll(above), before);
}

describe("a name that leads out of the folder of a run", () => {
  it("is refused in the list of runs, and so is the name of another run", async () => {
    for (const name of [...escapes, "another"]) {
      const stand = newStand();
      mkdirSync(join(stand.output, "escaped"));
      writeFileSync(join(stand.output, "escaped", "run.json"), JSON.stringify(makeRecord(["audusd"], { run: "x" })));
      writeRun(stand, {}, { run: name });
      await checkRefused(stand, name, /runs\/x\.json/);
    }
  });

  it("is refused as the name of the run, of a pair, of a launch and of a backend's job in the record", async () => {
    const handleOf = (given: Partial<Handle>): readonly Handle[] => [
      { backend: "local", name: "x-0", launch: makeLaunch(["audusd"], { run: "x" }), ...given },
    ];
    for (const name of escapes.slice(0, 3)) {
      const records: readonly Partial<RunRecord>[] = [
        { run: name },
        { pairs: [name] },
        { doneBefore: [name] },
        { handles: handleOf({ launch: makeLaunch(["audusd"], { run: name }) }) },
        { handles: handleOf({ launch: makeLaunch([name], { run: "x" }) }) },
        { pending: makeLaunch([name], { run: "x" }) },
        ...(name === "a/b" ? [] : [{ handles: handleOf({ name }) }]),
      ];
      for (const record of records) {
        const stand = newStand();
        writeRun(stand, record);
        await checkRefused(stand, name, /runs\/x\/run\.json/);
      }
    }
  });

  it("is refused as the number of a launch, with every other problem of the record", () => {
    const launch = { ...makeLaunch(["../x"], { run: "x" }), number: "../../0" };
    const record = { ...makeRecord(["../y"], { run: "x" }), handles: [{ backend: "local", name: "x-0", launch }] };
    const problems = checkRecord(record, { run: "x", path: "run.json" });
    assert.deepEqual(
      problems.map(({ what, found }) => [what.split(" is not ")[0], found]),
      [
        ["run.json: pairs.0", '"../y"'],
        ["run.json: handles.0.launch.number", '"../../0"'],
        ["run.json: handles.0.launch.tasks.0.pair", '"../x"'],
      ],
    );
    assert.deepEqual(checkRecord(null, { run: "x", path: "run.json" }).length, 1);
  });

  it("is refused as an attempt in the end of a launch, and so is a pair of another launch", () => {
    const launch = makeLaunch(["audusd"], { run: "x" });
    const endOf = (pair: string, id: string) => {
      const handle = { backend: "local", name: "x-0", launch };
      return { handle, statuses: [makeStatus(pair, { attempts: [makeAttempt({ id })] })] };
    };
    const check = (pair: string, id: string) => checkLaunchEnd(endOf(pair, id), { launch, path: "0.json" });
    assert.deepEqual(check("audusd", "pod-1"), []);
    for (const name of escapes) assert.equal(check("audusd", name).length, 1, name);
    assert.match(check("eurusd", "pod-1")[0]?.what ?? "", /a pair that its launch does not have/);
  });

  it("never becomes a path of a run or of a worker's files", () => {
    const paths = runPaths(store, "out", "x");
    for (const name of escapes) {
      const refused = { name: Failure.name, exitCode: ExitCode.input };
      assert.throws(() => runPaths(store, "out", name), refused);
      assert.throws(() => paths.result(name, "pod-1"), refused);
      assert.throws(() => paths.result("audusd", name), refused);
      assert.throws(() => paths.document(`costs/${name}.json`), refused);
      assert.throws(() => new Journal(folder).filesOf(name), refused);
    }
    assert.equal(paths.document("costs/audusd.json"), join("out", "runs", "x", "costs", "audusd.json"));
  });
});
