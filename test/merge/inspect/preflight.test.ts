import assert from "node:assert/strict";
import { rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { takeInventory } from "../../../src/merge/inspect/inventory.ts";
import { checkDisk, runPreflight } from "../../../src/merge/inspect/preflight.ts";
import { ExitCode } from "../../../src/model/exit-code.ts";
import { localStore } from "../../../src/store/local/store.ts";
import type { Store } from "../../../src/store/store.ts";
import { makeShape } from "../../faults/shapes.ts";
import { makeFolder } from "../../faults/support.ts";
import { failureOf, makePairContext, makeSettings, planHere, TestPort } from "../../support/in-process.ts";

const shape = { rows: 5000, tables: 60, columns: 10, misaligned: 0.1 };

describe("preflight", () => {
  const input = makeFolder({ after });
  const output = join(input, "out");
  const settings = makeSettings({ input });
  before(() => makeShape(input, shape));

  it("reads keys and footers, not the data", async () => {
    const counted = { bytes: 0, open: 0, mostOpen: 0 };
    const context = { ...makePairContext("audusd", output), store: countReads(counted) };
    const inventory = await takeInventory(context, settings);
    const { features, targets, problems } = await runPreflight(context, inventory, settings);
    assert.equal(features.length, shape.tables);
    assert.deepEqual(problems, []);
    assert.equal(targets?.key.rows, shape.rows);
    assert.deepEqual(
      features.map(({ file }) => file.table),
      inventory.features.map(({ file }) => file.table),
    );
    const all = inventory.features.reduce((sum, { file }) => sum + file.size, 0);
    // A key of eleven columns, and 64 KiB of the end of each file for its footer.
    assert.ok(counted.bytes < all / 5 + 61 * 65_536, `${counted.bytes} of ${all} bytes`);
    assert.equal(counted.open, 0);
    assert.ok(counted.mostOpen > 1 && counted.mostOpen <= 9, `${counted.mostOpen} files open at once`);
  });

  it("tells its progress", async () => {
    const port = new TestPort();
    const context = makePairContext("audusd", output, port);
    await runPreflight(context, await takeInventory(context, settings), settings);
    const done = port.events.flatMap((event) => (event.type === "progress" ? [event.tablesDone] : []));
    assert.deepEqual(done, [...Array.from({ length: 30 }, (_, index) => 2 * (index + 1))]);
  });

  it("stops between two tables when it is told to", async () => {
    const reason = new Error("stop");
    const port = new TestPort((event, own) => event.type === "progress" && own.stop(reason));
    const context = makePairContext("audusd", output, port);
    const inventory = await takeInventory(context, settings);
    await assert.rejects(runPreflight(context, inventory, settings), reason);
  });

  it("tells of every bad table, also without targets", async (context) => {
    const folder = makeFolder(context);
    await makeShape(folder, { rows: 100, tables: 12, columns: 1 });
    rmSync(join(folder, "audusd", "targets.parquet"));
    for (const table of ["t0003", "t0011"]) truncateSync(join(folder, "audusd", `${table}.parquet`), 40);
    const pair = makePairContext("audusd", join(folder, "out"));
    const own = makeSettings({ input: folder });
    const { problems } = await runPreflight(pair, await takeInventory(pair, own), own);
    assert.deepEqual(
      problems.map(({ table }) => table),
      ["targets", "t0003", "t0011"],
    );
    const failure = await failureOf(planHere({ input: folder, output: join(folder, "out") }, "audusd"));
    assert.equal(failure.exitCode, ExitCode.input);
    assert.deepEqual(failure.problems, problems);
  });

  it("wants the disk space that the output needs, or more when it is asked for", async () => {
    const free = (await localStore.freeBytes(input)) ?? 0;
    const context = makePairContext("audusd", input);
    await checkDisk(context, 1, "auto");
    const failure = await failureOf(checkDisk(context, 2 * free + 2 ** 30, "auto"));
    assert.equal(failure.exitCode, ExitCode.input);
    assert.match(
      failure.message,
      /not enough disk space for .*training_audusd\.parquet: found [\d.]+ [kMGT]?B free, [\d.]+ [kMGT]?B needed; free space, or choose another --output$/,
    );
    assert.equal((await failureOf(checkDisk(context, 1, 2 * free + 2 ** 30))).exitCode, ExitCode.input);
    assert.ok(statSync(input).isDirectory());
  });
});

/** The local store, counting what is read and what is open. */
function countReads(counted: { bytes: number; open: number; mostOpen: number }): Store {
  return {
    ...localStore,
    open: async (file) => {
      const opened = await localStore.open(file);
      assert.ok(!opened.isRemote);
      counted.open += 1;
      counted.mostOpen = Math.max(counted.mostOpen, counted.open);
      const count = <Bytes extends Uint8Array>(bytes: Bytes): Bytes => {
        counted.bytes += bytes.length;
        return bytes;
      };
      return {
        ...opened,
        read: async (start, length, into) => count(await opened.read(start, length, into)),
        peek: (start, length) => count(opened.peek(start, length)),
        close: async () => {
          counted.open -= 1;
          await opened.close();
        },
      };
    },
  };
}
