import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import pl from "nodejs-polars";
import { ExitCode } from "../../../src/model/exit-code.ts";
import { describeProblem } from "../../../src/model/failure.ts";
import { makeShape } from "../../faults/shapes.ts";
import { checkManifest, finishedNames, listOutput, makeFolder } from "../../faults/support.ts";
import { failureOf, mergeHere, type SomeSettings } from "../../support/in-process.ts";

/** A checkpoint and its finished output, both to be changed. */
interface Setting {
  readonly settings: SomeSettings;
  readonly input: string;
  readonly output: string;
  readonly file: string;
  readonly manifest: string;
}

describe("an output that is there already", () => {
  const origin = makeFolder({ after });
  before(async () => {
    await makeShape(join(origin, "in"), { rows: 200, tables: 3, columns: 2, misaligned: 0.4 });
    await mergeHere({ input: join(origin, "in"), output: join(origin, "out") }, "audusd");
  });

  function makeSetting(context: TestContext): Setting {
    const folder = makeFolder(context);
    cpSync(join(origin, "out"), join(folder, "out"), { recursive: true });
    cpSync(join(origin, "in"), join(folder, "in"), { recursive: true });
    const [input, output] = [join(folder, "in"), join(folder, "out")];
    const [manifest = "", file = ""] = finishedNames.map((name) => join(output, name));
    return { settings: { input, output }, input, output, file, manifest };
  }

  async function refused(settings: SomeSettings): Promise<string> {
    const failure = await failureOf(mergeHere(settings, "audusd"));
    assert.equal(failure.exitCode, ExitCode.input);
    return failure.problems.map(describeProblem).join("\n");
  }

  it("from the same bytes, copied to another place, is done and is not touched", async (context) => {
    const { settings, file } = makeSetting(context);
    const untouched = statSync(file).mtimeMs;
    const result = await mergeHere(settings, "audusd");
    assert.equal(result.outcome, "already done");
    assert.equal(result.exitCode, ExitCode.done);
    assert.deepEqual(result.bytes, { read: 0, written: 0 });
    assert.equal(statSync(file).mtimeMs, untouched);
  });

  it("from other inputs is refused, and replaced only when asked", async (context) => {
    const { settings, input, output, file } = makeSetting(context);
    await makeShape(input, { rows: 300, tables: 3, columns: 2 });
    const old = readFileSync(file);
    assert.match(
      await refused(settings),
      /the output exists, made from other inputs or settings: .*has changed since.*--replace/,
    );
    assert.deepEqual(readFileSync(file), old);
    const result = await mergeHere({ ...settings, replace: true }, "audusd");
    assert.equal(result.rows, 300);
    assert.deepEqual(listOutput(output), finishedNames);
    checkManifest(output);
  });

  it("from more tables is refused", async (context) => {
    const { settings, input } = makeSetting(context);
    cpSync(join(input, "audusd", "t0001.parquet"), join(input, "audusd", "t0009.parquet"));
    assert.match(await refused(settings), /made from 4 tables, now there are 5/);
  });

  it("with other settings is refused", async (context) => {
    const { settings } = makeSetting(context);
    assert.match(await refused({ ...settings, rowGroupRows: 50 }), /made with \{.*"rowGroupRows":"auto"/);
  });

  it("with rows without a key left out is refused by a merge that would refuse them", async (context) => {
    const { settings, input, output } = makeSetting(context);
    const nulls = { interval_time: [null, null], x: [1, 2] };
    const at = join(input, "audusd", "unkeyed.parquet");
    pl.DataFrame(nulls)
      .withColumns(pl.col("interval_time").cast(pl.Datetime("us", "UTC")))
      .writeParquet(at);
    rmSync(output, { recursive: true });
    const lenient = { ...settings, nullKeys: "drop", minMatch: 0 };
    assert.equal((await mergeHere(lenient, "audusd")).outcome, "done");
    assert.equal((await mergeHere(lenient, "audusd")).outcome, "already done");
    assert.match(await refused({ ...settings, nullKeys: "drop" }), /unkeyed has none of the targets' keys/);
    assert.match(await refused({ ...settings, minMatch: 0 }), /it lacks 2 rows of unkeyed without a key/);
  });

  it("of another size than its manifest says is refused", async (context) => {
    const { settings, file } = makeSetting(context);
    truncateSync(file, 100);
    assert.match(await refused(settings), /it has 100 bytes, but its manifest says \d+/);
  });

  it("that is no Parquet file is refused", async (context) => {
    const { settings, file, manifest } = makeSetting(context);
    rmSync(manifest);
    writeFileSync(file, "somebody's notes");
    assert.match(
      await refused(settings),
      /^the output exists without a manifest, so its inputs are unknown: .*: move it away, or pass --replace$/,
    );
    assert.equal(readFileSync(file, "utf8"), "somebody's notes");
  });

  for (const [what, spoil] of [
    ["without its manifest", (path: string): void => rmSync(path)],
    ["with a manifest that cannot be read", (path: string): void => writeFileSync(path, "{ half")],
  ] as const)
    it(`${what} is finished when it came from these very files`, async (context) => {
      const { settings, output, manifest, file } = makeSetting(context);
      rmSync(file);
      await mergeHere(settings, "audusd");
      spoil(manifest);
      assert.equal((await mergeHere(settings, "audusd")).outcome, "done");
      assert.deepEqual(listOutput(output), finishedNames);
      checkManifest(output);
    });

  it("without its manifest is refused when it came from other files", async (context) => {
    const { settings, manifest } = makeSetting(context);
    rmSync(manifest);
    assert.match(
      await refused(settings),
      /^the output exists, made from other inputs or settings: .*: move it away, or pass --replace$/,
    );
  });
});
