import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import pl from "nodejs-polars";
import { ExitCode } from "../../src/model/exit-code.ts";
import type { SampleOptions } from "../../src/sample/options.ts";
import { writeSample } from "../../src/sample/write.ts";

const small = { pairs: ["audusd"], tables: 12, rows: 400, misaligned: 0, duplicates: 0, seed: 1, force: false };
let out = "";
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "sample-"));
});
afterEach(() => rm(out, { recursive: true }));

const options = (changes: Partial<SampleOptions> = {}): SampleOptions => ({ ...small, out, ...changes });

/** A digest of every file under the folder. */
async function digest(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = async (file: string): Promise<string> =>
    createHash("md5")
      .update(await readFile(file))
      .digest("hex");
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(folder.length), await hash(file)])),
  );
}

test("a pair is a folder of tables named after it, a targets table and an empty marker", async () => {
  const summary = await writeSample(options({ pairs: ["audusd", "eurjpy"] }));
  assert.deepEqual((await readdir(out)).toSorted(), ["audusd", "eurjpy", "sample.json"]);
  for (const { pair, folder, ...counts } of summary.pairs) {
    const names = await readdir(folder);
    const tables = names.filter((name) =>
      new RegExp(`^(pair|tri|mkt|var|csi)_[a-z]+_\\d{3}_${pair}\\.parquet$`).test(name),
    );
    assert.equal(tables.length, 12);
    assert.deepEqual(names.toSorted(), [...tables, "_COMPLETE", "targets.parquet"].toSorted());
    assert.equal((await readFile(join(folder, "_COMPLETE"))).length, 0);
    assert.deepEqual([counts.tables, counts.rows, counts.syntheticRows, counts.written], [13, 400, 0, true]);
  }
});

test("every table has the targets' key, sorted and unique, and no NaN", async () => {
  const { pairs } = await writeSample(options());
  const keys = pl.readParquet(join(out, "audusd", "targets.parquet")).getColumn("interval_time");
  assert.equal(keys.nUnique(), 400);
  assert.ok(keys.seriesEqual(keys.sort()));
  let columns = 0;
  for (const name of await readdir(join(out, "audusd"))) {
    if (name === "_COMPLETE") continue;
    const table = pl.readParquet(join(out, "audusd", name));
    assert.equal(String(table.schema.interval_time), "DataType(Datetime(us,UTC))");
    assert.ok(table.getColumn("interval_time").seriesEqual(keys), name);
    for (const column of table.drop("interval_time").getColumns()) {
      assert.ok(
        !column.toArray().some((value: unknown) => Number.isNaN(value) || Math.abs(Number(value)) === Infinity),
        name,
      );
      columns += name === "targets.parquet" ? 0 : 1;
    }
  }
  assert.equal(columns, pairs[0]?.columns);
});

test("the same flags give the same bytes, another seed others", async () => {
  const drawn = { rows: 7100, tables: 6, misaligned: 0.5, duplicates: 0.5 };
  const folders = ["one", "two", "three"].map((name) => join(out, name)) as [string, string, string];
  await writeSample(options({ ...drawn, out: folders[0] }));
  await writeSample(options({ ...drawn, out: folders[1] }));
  await writeSample(options({ ...drawn, out: folders[2], seed: 2 }));
  const [one, two, three] = [await digest(folders[0]), await digest(folders[1]), await digest(folders[2])];
  assert.deepEqual(one, two);
  assert.deepEqual(Object.keys(one), Object.keys(three));
  const targets = "/audusd/targets.parquet";
  assert.notEqual(one[targets], three[targets]);
});

test("exactly the stated shares of the tables are misaligned and have duplicates", async () => {
  await writeSample(options({ tables: 20, misaligned: 0.3, duplicates: 0.15 }));
  const keys = pl.readParquet(join(out, "audusd", "targets.parquet")).getColumn("interval_time");
  const counts = { equal: 0, lacking: 0, extra: 0, unsorted: 0, duplicates: 0 };
  for (const name of (await readdir(join(out, "audusd"))).filter((file) => /_audusd/.test(file))) {
    const key = pl.readParquet(join(out, "audusd", name)).getColumn("interval_time");
    const unique = key.unique().sort();
    if (key.length > key.nUnique()) counts.duplicates += 1;
    if (unique.length < keys.length) counts.lacking += 1;
    else if (unique.length > keys.length) counts.extra += 1;
    else if (!key.seriesEqual(key.sort())) counts.unsorted += 1;
    else counts.equal += 1;
  }
  assert.deepEqual(counts, { equal: 14, lacking: 2, extra: 2, unsorted: 2, duplicates: 3 });
});

test("progress counts every file up to the total", async () => {
  const calls: [number, number][] = [];
  await writeSample(options({ tables: 3, pairs: ["audusd", "eurjpy"] }), (done, total) => calls.push([done, total]));
  assert.deepEqual(
    calls,
    [1, 2, 3, 4, 5, 6, 7, 8].map((done) => [done, 8]),
  );
});

test("existing pairs stay unchanged, missing ones are added", async () => {
  await writeSample(options());
  const before = await digest(join(out, "audusd"));
  const summary = await writeSample(options({ pairs: ["audusd", "eurjpy"] }));
  assert.deepEqual(
    summary.pairs.map(({ pair, written }) => [pair, written]),
    [
      ["audusd", false],
      ["eurjpy", true],
    ],
  );
  assert.deepEqual(await digest(join(out, "audusd")), before);
});

test("a folder of other flags, an unknown one and a damaged one are refused before anything is written", async () => {
  await writeSample(options({ pairs: ["audusd", "eurjpy"] }));
  await mkdir(join(out, "chfjpy"));
  await writeFile(join(out, "chfjpy", "notes.txt"), "mine");
  await truncate(join(out, "eurjpy", "targets.parquet"), 100);
  const before = await digest(out);
  const pairs = ["nzdusd", "audusd", "chfjpy"];
  await assert.rejects(
    writeSample(options({ pairs, rows: 401 })),
    (failure: { exitCode: number; problems: unknown[] }) => {
      assert.equal(failure.exitCode, ExitCode.usage);
      assert.equal(failure.problems.length, 2);
      return true;
    },
  );
  await assert.rejects(writeSample(options({ pairs: ["eurjpy"] })), { exitCode: ExitCode.usage });
  assert.deepEqual(await digest(out), before);
});

test("with --force, such a folder is replaced", async () => {
  await writeSample(options());
  const before = await digest(out);
  await writeSample(options({ rows: 300, force: true }));
  assert.equal(pl.readParquet(join(out, "audusd", "targets.parquet")).height, 300);
  await writeSample(options({ force: true }));
  assert.deepEqual(await digest(out), before);
});

test("when stopped, it leaves the finished pairs and nothing of the unfinished one; a rerun finishes", async () => {
  const stop = new AbortController();
  const pairs = ["audusd", "eurjpy"];
  const run = writeSample(options({ pairs, signal: stop.signal }), (done) => {
    if (done === 18) stop.abort(new Error("enough"));
  });
  await assert.rejects(run, { message: "enough" });
  assert.deepEqual((await readdir(out)).toSorted(), ["audusd", "sample.json"]);
  const summary = await writeSample(options({ pairs }));
  assert.deepEqual(
    summary.pairs.map(({ written }) => written),
    [false, true],
  );
});

test("a hidden folder that a killed run left is replaced", async () => {
  await mkdir(join(out, ".audusd.partial"));
  await writeFile(join(out, ".audusd.partial", "pair_mean_999_audusd.parquet"), "half");
  await writeSample(options());
  assert.deepEqual((await readdir(out)).toSorted(), ["audusd", "sample.json"]);
  assert.equal((await readdir(join(out, "audusd"))).length, 14);
});

test("an output that is a file, or has an unreadable record, is refused", async () => {
  await writeFile(join(out, "file"), "");
  await assert.rejects(writeSample(options({ out: join(out, "file") })), { exitCode: ExitCode.usage });
  await assert.rejects(writeSample(options({ out: join(out, "file", "x") })), { exitCode: ExitCode.usage });
  for (const text of ["not json", "[]", '{"pairs":null}']) {
    await writeFile(join(out, "sample.json"), text);
    await assert.rejects(writeSample(options()), { exitCode: ExitCode.usage });
  }
});

test("a sample that is too large for the disk is refused before anything is written", async () => {
  const huge = { rows: 2_000_000, tables: "full" as const, pairs: Array(1000).fill("audusd") };
  await assert.rejects(writeSample(options(huge)), { exitCode: ExitCode.input });
  assert.deepEqual(await readdir(out), []);
});
