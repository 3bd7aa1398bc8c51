/** Damaged documents of a run: every command that reads them ends well, or refuses them by name. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { cancelRun } from "../../src/app/cancel-run.ts";
import { exitCodeSoFar, inspectRun } from "../../src/app/existing-run.ts";
import { writeReport } from "../../src/app/write-report.ts";
import { joinLines } from "../../src/cli/print.ts";
import { costOfRun } from "../../src/cost/run-cost.ts";
import type { RunRecord } from "../../src/model/run.ts";
import { buildReport } from "../../src/report/build.ts";
import { describeRun } from "../../src/report/text/run.ts";
import { systemClock } from "../../src/run/clock.ts";
import { runPairs } from "../../src/run/controller.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import { scratchFolder } from "../support/folder.ts";
import { endNamed, fuzz, mutateJson } from "../support/fuzz.ts";
import { makeLocalBackend } from "../support/local-backend.ts";
import { GiB, makeStand, makeWorkerRecord, type Stand } from "../support/run.ts";

const folder = await scratchFolder("fuzz-documents");
const store = createLocalStore(false);
const stand = makeStand(mkdtempSync(join(folder, "stand-")), ["ok1", "input1"], { retriesUnexpected: 0, retries: 0 });
const given = { settings: stand.settings, stated: new Set<string>() };

/** The files of a run by their path below the output folder: of one that is over, and of one whose controller was killed. */
type Files = ReadonlyMap<string, string>;
let over: Files;
let open: Files;

/** A clock that does not wait: pauses and watches of a lease are over at once. */
function hastyClock() {
  let ahead = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + ahead,
    sleep: async (milliseconds: number) => {
      ahead += milliseconds;
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
    repeat: () => () => undefined,
  };
}

function carryOut(own: Stand = stand) {
  return runPairs({
    store,
    machine: makeLocalBackend(own),
    backend: "local",
    capacity: { ceilingBytes: GiB, workers: 4, memoryBytes: 64 * GiB, spot: false },
    firstPause: 1,
    settings: own.settings,
    pairs: own.pairs,
    wanted: "run",
    widemerge: "0.0.0",
    signal: AbortSignal.timeout(20_000),
    requests: { milliseconds: 100, firstPause: 1 },
    clock: hastyClock(),
  });
}

function readFiles(): Files {
  const paths = readdirSync(stand.output, { recursive: true, encoding: "utf8" });
  const files = paths.filter((path) => statSync(join(stand.output, path)).isFile());
  return new Map(files.map((path) => [path, readFileSync(join(stand.output, path), "utf8")]));
}

function writeFiles(files: Files): void {
  rmSync(stand.output, { recursive: true, force: true });
  for (const [path, content] of files) {
    mkdirSync(dirname(join(stand.output, path)), { recursive: true });
    writeFileSync(join(stand.output, path), content);
  }
}

before(async () => {
  const { view } = await carryOut();
  assert.deepEqual(
    view.pairs.map(({ state }) => state),
    ["done", "failed"],
  );
  for (const { pair, attempts } of view.pairs)
    for (const { id } of attempts) {
      const path = join(stand.output, "runs", "run", "results", pair, `${id}.json`);
      mkdirSync(dirname(path), { recursive: true });
      const exitCode = pair === "ok1" ? 0 : 3;
      writeFileSync(path, JSON.stringify(makeWorkerRecord({ pair, attempt: id, exitCode })));
    }
  over = readFiles();
  const record = JSON.parse(over.get("runs/run/run.json") ?? "") as RunRecord;
  const { finished: _, ...unfinished } = record;
  const lease = { format: 1, owner: "gone-1-1-1", host: "gone", pid: 1, since: "", heartbeat: "", beats: 3 };
  open = new Map([
    ...[...over].filter(([path]) => !/launches|report|training_ok1\.manifest/.test(path)),
    ["runs/run/run.json", JSON.stringify(unfinished)],
    ["runs/run/lease.json", JSON.stringify(lease)],
  ]);
  assert.ok(over.size > 8, [...over.keys()].join("\n"));
});

/** Everything that reads the documents of a run. */
const commands: Readonly<Record<string, () => Promise<unknown>>> = {
  status: async () => {
    const { run, prices } = await inspectRun("run", given);
    const view = run.state.view();
    joinLines(describeRun(view, costOfRun(view, prices)));
    JSON.stringify(buildReport(view, prices));
    exitCodeSoFar(run);
  },
  "status of the newest run": () => inspectRun(undefined, given),
  report: () => writeReport("run", given),
  cancel: () => cancelRun("run", given, { wait: false }),
  "run-all": () => carryOut(),
};

async function check(files: Files, damaged: string, content: string): Promise<boolean> {
  let refused = false;
  for (const [name, command] of Object.entries(commands)) {
    writeFiles(new Map([...files, [damaged, content]]));
    try {
      refused = (await endNamed(command)) !== undefined || refused;
    } catch (error) {
      throw new Error(`${name} with ${damaged}: ${content.slice(0, 2000)}`, { cause: error });
    }
  }
  return refused;
}

test("a sound run is read by all commands", async () => {
  assert.equal(await check(over, "runs/run/other", ""), false);
  assert.equal(await check(open, "runs/run/other", ""), false);
});

test("damaged documents of a run end each command well, or with a refusal that has a cause", async (context) => {
  let refused = 0;
  const cases = await fuzz({ name: "documents of a run", cases: 100, most: 15 }, async (dice) => {
    const files = dice.pick([over, open]);
    const documents = [...files.keys()].filter((path) => path.endsWith(".json"));
    const path = dice.pick(documents);
    if (await check(files, path, mutateJson(files.get(path) ?? "", dice))) refused += 1;
  });
  context.diagnostic(`${cases} damaged documents, ${refused} of them refused`);
  assert.ok(refused > 0);
});
