/** Tables gathered and copied by several threads: the same output as by one, the same errors, and no thread that stays. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { takeInventory } from "../../../src/merge/inspect/inventory.ts";
import { runPreflight } from "../../../src/merge/inspect/preflight.ts";
import { makePlan } from "../../../src/merge/plan/plan.ts";
import { predictPeak } from "../../../src/merge/plan/predict.ts";
import { chooseThreads } from "../../../src/merge/plan/threads.ts";
import type { PlannedTable } from "../../../src/merge/table.ts";
import { copyTable } from "../../../src/merge/transfer/copy-table.ts";
import { fromSent, toSent } from "../../../src/merge/transfer/thread-protocol.ts";
import { finishOutput, transferTables } from "../../../src/merge/transfer/transfer.ts";
import { ExitCode } from "../../../src/model/exit-code.ts";
import { Failure, toFailure } from "../../../src/model/failure.ts";
import { readFooter } from "../../../src/parquet/footer-reader.ts";
import { readPages } from "../../../src/parquet/page/header.ts";
import { crc32c, formatCrc32c } from "../../../src/store/crc32c.ts";
import { openLocal } from "../../../src/store/local/file.ts";
import { loadFile } from "../../support/bytes.ts";
import { copyTo } from "../../support/duckdb.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, limits, makePairContext, makeSettings, TestPort } from "../../support/in-process.ts";
import { writeStored } from "../../support/parquet-file.ts";
import { keyed, upTo, type Written, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("threads");
const rows = 40_000;
const keys = upTo(rows);

/** Tables to splice and to align, in turn: columns small and large (beyond what is read at once), flat texts, nulls. */
function makeCheckpoint(rowGroupSize: number): Written {
  const noise = (seed: number) => keys.map((key) => String(Math.sin(Number(key) * seed) * 1e9));
  const long = keys.map((key) => (Number(key) % 9 === 0 ? null : `${key}-${"x".repeat(Number(key) % 90)}-${key}`));
  const few = keys.map((key) => `word ${Number(key) % 7}`);
  const narrow = (seed: number) =>
    Object.fromEntries(upTo(12).map((name) => [`c${name}`, ["Float64", noise(seed + Number(name))] as const]));
  return writeTables(
    root,
    {
      targets: keyed(keys),
      a: keyed(keys, narrow(1)).slice(100, rows - 300),
      b: keyed(keys, { text: ["String", long], few: ["String", few], flag: ["Bool", few.map(() => "true")] }).reverse(),
      c: keyed(keys, narrow(2)),
      d: keyed(keys, narrow(3)).slice(100, rows - 300),
      e: keyed(keys, { text: ["String", long] }).slice(7, rows - 7),
      f: keyed(keys, narrow(4)).reverse(),
    },
    { rowGroupSize },
  );
}

async function planMerge(written: Written, port: TestPort) {
  const settings = makeSettings({ ...written });
  const context = makePairContext("pair", written.output, port);
  const inventory = await takeInventory(context, settings);
  const { targets, features } = await runPreflight(context, inventory, settings);
  assert.ok(targets);
  const planned = makePlan({
    ...{ pair: "pair", targets: targets.table, features, excluded: [], ignored: [], settings },
    ...{ limits, link: "no bucket", remote: false },
  });
  assert.deepEqual(planned.problems, []);
  return { context, settings, targets, planned };
}

type Change = (tables: readonly PlannedTable[]) => readonly PlannedTable[];

async function transfer(written: Written, threads: number, port = new TestPort(), change: Change = (same) => same) {
  const { context, settings, targets, planned } = await planMerge(written, port);
  const path = join(written.output, "staged.parquet");
  const staged = await context.store.stage(path);
  try {
    const keyVectors = { targetsKey: targets.key, duplicates: settings.duplicates };
    const { output, tables } = await transferTables(
      context,
      { ...planned, tables: change(planned.tables), threads },
      keyVectors,
      staged,
    );
    const { size } = await finishOutput(planned.plan, output, staged);
    const opened = await staged.open();
    const bytes = await opened.read(0, size);
    await opened.close();
    return { bytes: Buffer.from(bytes), tables };
  } finally {
    await staged.discard();
  }
}

for (const rowGroupSize of [1_000_000, 9000])
  test(`row groups of ${rowGroupSize} rows: three threads write the bytes of one, and sum up the same inputs`, async () => {
    const written = makeCheckpoint(rowGroupSize);
    const [one, three] = [await transfer(written, 1), await transfer(written, 3)];
    assert.ok(three.bytes.equals(one.bytes));
    for (const { tables } of [one, three])
      for (const { file, crc32c: sum } of tables) assert.equal(sum, formatCrc32c(crc32c(readFileSync(file.path))));
  });

test("rows that are known from the proof are those that are found again, and tables with the same keys share them", async () => {
  const written = makeCheckpoint(9000);
  const known = await transfer(written, 1);
  const forget: Change = (tables) =>
    tables.map(({ proof: { runs, ...proof }, ...table }) => {
      assert.equal(runs === undefined, table.plan.sameKeys || table.isTargets, table.file.table);
      return { ...table, proof };
    });
  const found = await transfer(written, 1, new TestPort(), forget);
  assert.ok(found.bytes.equals(known.bytes));
  const proofs = new Map(known.tables.map(({ file, proof }) => [file.table, proof]));
  assert.equal(proofs.get("a"), proofs.get("d"));
  assert.equal(proofs.get("b"), proofs.get("f"));
  assert.notEqual(proofs.get("a"), proofs.get("e"));
});

test("memory that is short before or during the merge: one batch at a time, and the same bytes", async () => {
  const written = makeCheckpoint(1_000_000);
  const one = await transfer(written, 1);
  const before = new TestPort();
  before.slowed = true;
  assert.ok((await transfer(written, 3, before)).bytes.equals(one.bytes));
  const during = new TestPort((event, port) => {
    if (event.type === "progress" && event.stage === "merge") port.slowed = true;
  });
  assert.ok((await transfer(written, 3, during)).bytes.equals(one.bytes));
});

test("a damaged page ends in the same error, whatever the number of threads", async () => {
  const written = makeCheckpoint(1_000_000);
  const path = join(written.input, "pair/d.parquet");
  const opened = await openLocal(path);
  const { footer } = await readFooter(opened);
  await opened.close();
  const chunk = footer.rowGroups[0]?.chunks[5];
  assert.ok(chunk);
  const bytes = readFileSync(path);
  const body = [...readPages(bytes.subarray(chunk.start, chunk.start + chunk.size))].at(-1)?.body;
  assert.ok(body && body.length > 40);
  // The start of the compressed block, behind its length: the page header is sound, and the page cannot be decoded.
  body.fill(0xff, 3, 40);
  writeFileSync(path, bytes);
  const [one, three] = [await failureOf(transfer(written, 1)), await failureOf(transfer(written, 3))];
  assert.deepEqual(three.problems, one.problems);
  assert.equal(three.exitCode, one.exitCode);
  assert.match(JSON.stringify(three.problems), /a page cannot be decoded.*column c5.*"table":"d"/);
});

/** Tables to splice alone; the key lies between other columns, so that each is two ranges. */
async function makeAligned(): Promise<Written> {
  const place = mkdtempSync(join(root, "spliced-"));
  mkdirSync(join(place, "in/pair"), { recursive: true });
  for (const [index, name] of ["targets", ..."abcdefg"].entries()) {
    const select = `select hash(range)::ubigint x${index}, range as interval_time, hash(range + ${index})::ubigint y from range(90000)`;
    await copyTo(join(place, "in/pair", `${name}.parquet`), select, "row_group_size 30720");
  }
  writeFileSync(join(place, "in/pair/_COMPLETE"), "");
  return { input: join(place, "in"), output: join(place, "out") };
}

test("tables that are all copied: three threads write the bytes of one, and sum up the same inputs", async () => {
  const written = await makeAligned();
  const [one, three] = [await transfer(written, 1), await transfer(written, 3)];
  assert.deepEqual(
    one.tables.map((table) => table.transfer),
    Array.from({ length: 8 }, () => "splice"),
  );
  assert.ok(three.bytes.equals(one.bytes));
  for (const { tables } of [one, three])
    for (const { file, crc32c: sum } of tables) assert.equal(sum, formatCrc32c(crc32c(readFileSync(file.path))));
});

test("a page checksum that is not its bytes' ends in the same error, whatever the number of threads", async () => {
  const place = mkdtempSync(join(root, "damaged-"));
  const written = { input: join(place, "in"), output: join(place, "out") };
  mkdirSync(join(place, "in/pair"), { recursive: true });
  const values = Array.from({ length: 300 }, (_, row) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(row));
    return bytes;
  });
  for (const name of ["targets", ..."abcdefg"])
    writeStored(
      join(place, "in/pair", `${name}.parquet`),
      ["interval_time", "x", "y"].map((column) => ({ name: column, type: 2, values, checksum: true })),
      { groupRows: 100 },
    );
  writeFileSync(join(place, "in/pair/_COMPLETE"), "");
  const path = join(place, "in/pair/d.parquet");
  const { footer, bytes } = await loadFile(path);
  const chunk = footer.rowGroups[1]?.chunks[2];
  assert.ok(chunk);
  const last = chunk.start + chunk.size - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const [one, three] = [await failureOf(transfer(written, 1)), await failureOf(transfer(written, 3))];
  assert.deepEqual(three.problems, one.problems);
  assert.equal(three.exitCode, one.exitCode);
  assert.match(JSON.stringify(three.problems), /column y, row group 1: page 0: CRC32 \d+, the header says/);
});

test("an error keeps its code, its class and its problems on the way between threads", () => {
  const problem = { what: "a", found: "b", fix: "c", table: "d" };
  const failure = fromSent(structuredClone(toSent(new Failure(ExitCode.input, [problem]))));
  assert.ok(failure instanceof Failure);
  assert.deepEqual([failure.exitCode, failure.problems], [ExitCode.input, [problem]]);
  const order = { input: openSync(import.meta.filename, "r"), size: 40, ranges: [{ start: 0, end: 40, delta: 0 }] };
  let thrown: unknown;
  try {
    // The disk is always full.
    copyTable({ ...order, output: openSync("/dev/full", "r+"), chunks: [] }, new Uint8Array(64));
  } catch (error) {
    thrown = error;
  }
  const received = toFailure(fromSent(structuredClone(toSent(thrown))));
  assert.match(received.message, /storage failed: found ENOSPC.*the disk is full/);
  assert.equal(received.exitCode, ExitCode.transient);
});

test("a merge that is stopped ends its threads", async () => {
  const written = makeCheckpoint(1_000_000);
  const reason = new Error("stop");
  const port = new TestPort((event, own) => {
    if (event.type === "progress" && event.stage === "merge") own.stop(reason);
  });
  await assert.rejects(transfer(written, 3, port), reason);
  // A thread that stays would keep this process alive, and the test would not end.
});

test("as many threads as CPUs, if there is enough to align on a disk and they fit under the ceiling", async () => {
  const { planned } = await planMerge(makeCheckpoint(1_000_000), new TestPort());
  const { rows: count, columns, rowGroups, readBytes } = planned.plan;
  const plain = {
    rows: count,
    columns,
    rowGroups,
    readBytes,
    baselineBytes: 0,
    verify: "structure",
    remote: false,
  } as const;
  const small = { ...plain, tables: planned.tables };
  const large = {
    ...plain,
    tables: small.tables.map((table) => ({ ...table, plan: { ...table.plan, bytes: 2 ** 28 } })),
  };
  const ceilingBytes = 2 ** 33;
  assert.equal(chooseThreads(large, { cpus: 4, ceilingBytes }), 4);
  assert.equal(chooseThreads(large, { cpus: 64, ceilingBytes }), 8);
  assert.equal(chooseThreads(small, { cpus: 4, ceilingBytes }), 1);
  assert.equal(chooseThreads({ ...large, remote: true }, { cpus: 4, ceilingBytes }), 1);
  assert.equal(chooseThreads(large, { cpus: 4, ceilingBytes: predictPeak({ ...large, threads: 1 }) }), 1);
  const tight = chooseThreads(large, { cpus: 8, ceilingBytes: 700 * 2 ** 20 });
  assert.ok(tight > 1 && tight < 8, `${tight} threads under 700 MiB`);
  assert.ok(predictPeak({ ...large, threads: tight }) <= 700 * 2 ** 20);
});
