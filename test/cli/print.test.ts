/** Names of tables and columns reach a terminal in a visible form, whatever prints them, and JSON exactly. */
import assert from "node:assert/strict";
import { globSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type CliRun, runCli } from "../faults/support.ts";
import { scratchFolder } from "../support/folder.ts";
import { writeStored } from "../support/parquet-file.ts";

const source = fileURLToPath(new URL("../../src", import.meta.url));
const folder = await scratchFolder("print");
const input = join(folder, "in");
/** Clears the screen, rings, forges a line, reverses the text; none of it may reach a terminal as it is. */
const table = "t\u001b[2J\nforged: done\u202e";
const column = "c\u0007\u009b1m\u200b";

test("nothing but the printer and the log writes to stdout or stderr", () => {
  const writers = globSync("**/*.ts", { cwd: source }).filter((file) =>
    /\bconsole\.|process\.(stdout|stderr)\.write|writeSync\((1|2)\b/.test(readFileSync(join(source, file), "utf8")),
  );
  assert.deepEqual(writers.sort(), ["app/log.ts", "cli/print.ts"]);
});

describe("a checkpoint with names that a terminal would act on", () => {
  before(() => {
    mkdirSync(join(input, "audusd"), { recursive: true });
    const keys = [1n, 2n].map((value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      return bytes;
    });
    const write = (name: string, columnName: string, values = keys) =>
      writeStored(join(input, "audusd", `${name}.parquet`), [
        { name: "interval_time", type: 2, values },
        { name: columnName, type: 2, values },
      ]);
    write("targets", "y");
    write(table, column, keys.slice(1));
  });

  const flags = ["--input", input, "--no-require-marker", "--memory-ceiling", "2GiB", "--memory-free", "0"];
  const output = (name: string) => ["--output", join(folder, name)];

  test("the terminal shows them escaped", async () => {
    const text = { WIDEMERGE_LOG: "text" };
    const runs = [
      await runCli(["plan", "audusd", ...flags, ...output("plan"), "--list-tables"], text),
      await runCli(["merge", "audusd", ...flags, ...output("merge"), "--verbose"], text),
      await runCli(["merge", "audusd", ...flags, ...output("refused"), "--expect-tables", "9", "--key", column], text),
    ];
    assert.deepEqual(
      runs.map(({ exitCode }) => exitCode),
      [0, 0, 3],
      said(runs),
    );
    assert.doesNotMatch(said(runs), /[^\n\P{Cc}]|[\p{Cf}\p{Cs}]/u);
    assert.doesNotMatch(said(runs), /^forged/m);
    for (const { stdout, stderr } of runs)
      assert.match(stdout + stderr, /(t\\u001b\[2J\\nforged: done\\u202e|c\\u0007)/);
  });

  test("JSON has them exactly", async () => {
    const run = await runCli(["plan", "audusd", ...flags, ...output("json"), "--json"]);
    assert.equal(run.exitCode, 0, said([run]));
    assert.doesNotMatch(run.stdout, /[^\n\P{Cc}]|[\p{Cf}\p{Cs}]/u);
    const { plans } = JSON.parse(run.stdout);
    const planned = plans[0].tables.find((one: { file: { table: string } }) => one.file.table === table);
    assert.equal(planned.columns[0].input, column);
  });

  test("the log as JSON has them escaped, too", async () => {
    const run = await runCli(["merge", "audusd", ...flags, ...output("log"), "--key", column]);
    assert.equal(run.exitCode, 3);
    assert.doesNotMatch(run.stderr, /[^\n\P{Cc}]|[\p{Cf}\p{Cs}]/u);
    const lines = run.stderr.trim().split("\n");
    assert.ok(
      lines.some((line) => JSON.parse(line).message.includes(column)),
      run.stderr,
    );
  });
});

function said(runs: readonly CliRun[]): string {
  return runs.map(({ stdout, stderr }) => stdout + stderr).join("");
}
