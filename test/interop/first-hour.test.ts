/**
 * The first hour of a newcomer: two instruments as pandas left them, merged by doing what the messages say, one after the
 * other, until the values are those of pandas' own joins.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { findAbsence, runFirstHour, runWidemerge } from "./tools.ts";

const absence = findAbsence("pandas");
suite("two instruments with twelve messy tables of pandas", { skip: absence ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "widemerge-first-hour-"));
  const input = join(folder, "checkpoints");
  const output = join(folder, "training");
  const places = ["--input", input, "--output", output];
  const names = ["--folders", "ES=F:es_f,BTC-USD:btc_usd"];
  const files = ["--targets", "y", "--no-require-marker"];
  const key = ["--key", "ts", "--rename", "Ts=ts"];
  const rows = ["--key-cast", "timestamp-utc", "--duplicates", "first"];
  const settings = [...names, ...files, ...key, ...rows, "--exclude-tables", "shifted", "--separator", "__"];

  before(() => {
    runFirstHour("write", input);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const merge = (...flags: string[]) => runWidemerge("merge", "es_f", ...places, ...flags);
  const refusals: readonly [string, () => ReturnType<typeof merge>, number, readonly RegExp[]][] = [
    [
      "a name that cannot be a pair's: the message says what would do",
      () => runWidemerge("merge", "ES=F", ...places),
      2,
      [/not a valid pair name/, /--folders ES=F:es_f merges it as es_f/],
    ],
    [
      "a size that is none",
      () => merge(...names, "--memory-ceiling", "2"),
      2,
      [/2GiB \(2 × 2\^30 bytes\), 2GB or 2G \(2 × 10\^9 bytes\)/],
    ],
    [
      "no targets and no marker",
      () => merge(...names),
      3,
      [/has no targets\.parquet.*--targets/, /has no _COMPLETE.*--no-require-marker/],
    ],
    [
      "another key, in two spellings: said once",
      () => merge(...names, ...files),
      3,
      [
        /no table has the key column interval_time: found all 12 tables have ts, some as Ts; name the key: --key ts --rename Ts=ts/,
      ],
    ],
    [
      "every problem of the keys at once",
      () => merge(...names, ...files, ...key),
      3,
      [
        /duplicated: duplicate keys in ts: found 3 repeated rows.*--duplicates first or last/,
        /naive: key column ts does not fit.*read timestamps without a time zone as UTC with --key-cast timestamp-utc/,
        /text: key column ts does not fit.*read text as timestamps with --key-cast timestamp-utc/,
        /shifted: no key in ts is one of the targets'/,
      ],
    ],
  ];
  for (const [name, work, exitCode, texts] of refusals)
    test(name, async () => {
      const { status, stdout, stderr } = await work();
      assert.equal(status, exitCode, stdout + stderr);
      for (const text of texts) assert.match(stdout + stderr, text);
    });

  test("a right file, and what was dropped, filled and left out is said", async () => {
    const { status, stdout, stderr } = await merge(...settings, "--verify", "full");
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /^es_f +400 rows × 24 columns +\| +11 tables: 8 spliced, 3 aligned/);
    assert.match(stdout, /^ +gaps +134 of 400 rows matched, 266 null-filled, 0 dropped$/m);
    assert.match(stdout, /^ +duplicated +400 of 400 rows matched, 0 null-filled, 3 dropped$/m);
    assert.match(stdout, /ignored: notes\.csv/);
    assert.match(stderr, /the index that pandas saved in 1 table is left out; --keep-index keeps it/);
  });

  test("the columns that lose the types of pandas are named", async () => {
    const { stdout, stderr } = await runWidemerge("plan", "btc_usd", ...places, ...settings);
    assert.match(stdout, /^ +categories__side: dictionary → BYTE_ARRAY \(STRING\)$/m, stderr);
    assert.match(stdout, /^ +durations__hold: duration\[us\] → INT64$/m);
  });

  test("the other instrument in a run, whose status needs no settings", async () => {
    const run = await runWidemerge("run-all", ...places, ...settings);
    assert.equal(run.status, 0, run.stdout + run.stderr);
    const { status, stdout, stderr } = await runWidemerge("status", "--output", output);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /2 pairs: 1 done, 1 done before/);
  });

  test("outputs verify by their manifests alone, and every value is that of pandas", async () => {
    for (const pair of ["es_f", "btc_usd"]) {
      const { status, stdout, stderr } = await runWidemerge("verify", pair, "--output", output, "--level", "full");
      assert.equal(status, 0, stdout + stderr);
    }
    const outputs = ["es_f", "btc_usd"].map((pair) => join(output, `training_${pair}.parquet`));
    assert.equal(
      runFirstHour("check", input, ...outputs),
      "ES=F: 400 rows, 24 columns are equal\nBTC-USD: 400 rows, 24 columns are equal\n",
    );
  });
});
