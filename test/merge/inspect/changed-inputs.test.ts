/** Inputs that another program changes while they are read: the merge stops with exit 3, names them, and publishes nothing. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runTask } from "../../../src/merge/run.ts";
import type { WorkerEvent } from "../../../src/model/event.ts";
import { ExitCode } from "../../../src/model/exit-code.ts";
import { localStore } from "../../../src/store/local/store.ts";
import { makeShape } from "../../faults/shapes.ts";
import { listOutput, makeFolder } from "../../faults/support.ts";
import {
  failureOf,
  limits,
  makeContext,
  makeSettings,
  mergeHere,
  type SomeSettings,
  TestPort,
} from "../../support/in-process.ts";

/** Overwrites some bytes in the middle of a file, which keeps its size and its inode. */
function overwrite(path: string): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(64, 0xa5), 0, 64, Math.floor(statSync(path).size / 3));
  closeSync(file);
}

/** Whole milliseconds, which a program can restore. */
const time = new Date(1_700_000_000_000);

/** The same, and the modification time is put back. */
function overwriteUnseen(path: string): void {
  overwrite(path);
  utimesSync(path, time, time);
}

/** A FIFO that nobody writes to takes the place of the file. */
function replaceByFifo(path: string): void {
  rmSync(path);
  execFileSync("mkfifo", [path]);
}

const halve = (path: string): void => truncateSync(path, Math.floor(statSync(path).size / 2));

type Moment = (event: WorkerEvent) => boolean;

const atStage =
  (stage: string): Moment =>
  (event) =>
    event.type === "stage" && event.stage === stage;

/** Once so many tables are in the output. The next one is open by then. */
const afterTable =
  (tables: number): Moment =>
  (event) =>
    event.type === "progress" && event.stage === "merge" && event.tablesDone === tables;

const keepsChangeTimes = localStore.stat(fileURLToPath(import.meta.url)).then((file) => file?.changeTime !== undefined);

describe("an input that changes while it is read", () => {
  const input = makeFolder({ after });
  before(() => makeShape(input, { rows: 3000, tables: 4, columns: 3, misaligned: 0.5 }));

  /** A merge of a copy of the checkpoint, in which something happens to a table at the first event that fits. */
  async function mergeDisturbed(
    context: { after(remove: () => void): void },
    { on, table, change }: { readonly on: Moment; readonly table: string; readonly change: (path: string) => void },
    given: SomeSettings = {},
  ) {
    const [copy, output] = [makeFolder(context), join(makeFolder(context), "out")];
    cpSync(input, copy, { recursive: true });
    for (const name of readdirSync(join(copy, "audusd"))) utimesSync(join(copy, "audusd", name), time, time);
    let done = false;
    const port = new TestPort((event) => {
      if (done || !on(event)) return;
      done = true;
      change(join(copy, "audusd", `${table}.parquet`));
    });
    const failure = await failureOf(mergeHere({ input: copy, output, ...given }, "audusd", port));
    assert.ok(done, "nothing happened to the table");
    assert.equal(failure.exitCode, ExitCode.input, failure.message);
    assert.deepEqual(listOutput(output), []);
    assert.deepEqual(
      failure.problems.map(({ table: name, what, fix }) => [name, what, fix]),
      [
        [
          table,
          `${join(copy, "audusd", `${table}.parquet`)} changed during the merge`,
          "wait until the extraction has finished, then merge again",
        ],
      ],
    );
    return failure.problems[0]?.found ?? "";
  }

  // Of the four tables, the first two are aligned and the others are spliced.
  const moments: readonly (readonly [string, Moment, string, SomeSettings?])[] = [
    ["while preflight reads it", atStage("preflight"), "t0003"],
    ["after preflight has read it", atStage("plan"), "t0001"],
    ["once it was opened to be aligned", afterTable(2), "t0002"],
    ["once it was opened to be spliced", afterTable(3), "t0003"],
    ["once it was copied", afterTable(5), "t0003"],
    ["while the output is verified", atStage("verify"), "t0004", { verify: "full" }],
  ];

  for (const [when, on, table, given] of moments) {
    it(`overwritten ${when}`, async (context) => {
      const found = await mergeDisturbed(context, { on, table, change: overwrite }, given);
      assert.match(found, /^version \d+-\d+, listed was 1700000000000000000-\d+$/);
    });
    it(`overwritten ${when}, with its modification time restored`, async (context) => {
      if (!(await keepsChangeTimes)) return context.skip("this file system keeps no change time that can be trusted");
      const found = await mergeDisturbed(context, { on, table, change: overwriteUnseen }, given);
      assert.match(found, /^change time \d+, listed was \d+$/);
    });
    it(`cut short ${when}`, async (context) => {
      const found = await mergeDisturbed(context, { on, table, change: halve }, given);
      assert.match(found, /^[\d,]+ bytes, listed were [\d,]+$/);
    });
    it(`replaced by a FIFO ${when}`, async (context) => {
      const found = await mergeDisturbed(context, { on, table, change: replaceByFifo }, given);
      assert.equal(found, "a FIFO");
    });
  }

  it("is named beside every other one that changed", async (context) => {
    const [copy, output] = [makeFolder(context), join(makeFolder(context), "out")];
    cpSync(input, copy, { recursive: true });
    const port = new TestPort((event) => {
      if (event.type !== "stage" || event.stage !== "footer") return;
      for (const table of ["t0001", "t0004", "targets"]) overwrite(join(copy, "audusd", `${table}.parquet`));
    });
    const failure = await failureOf(mergeHere({ input: copy, output }, "audusd", port));
    assert.deepEqual(
      failure.problems.map(({ table }) => table),
      ["targets", "t0001", "t0004"],
    );
  });

  it("while a published output is compared with it, is not a failed verification", async (context) => {
    const [copy, output] = [makeFolder(context), join(makeFolder(context), "out")];
    cpSync(input, copy, { recursive: true });
    await mergeHere({ input: copy, output }, "audusd");
    const settings = makeSettings({ input: copy, output });
    const port = new TestPort((event) => {
      if (event.type === "progress" && event.stage === "verify" && event.tablesDone === 2)
        overwrite(join(copy, "audusd", "t0004.parquet"));
    });
    const task = { command: "verify", target: "audusd", level: "full", inputGiven: true, settings, limits } as const;
    const failure = await failureOf(runTask(task, makeContext(port)));
    assert.equal(failure.exitCode, ExitCode.input, failure.message);
    assert.match(failure.message, /t0004\.parquet changed during the merge/);
  });
});
