/** BACKEND=local with folders of this machine: no cloud, no double; the report included. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Stage } from "./support.ts";

const stage = new Stage();
const input = join(stage.folder, "check points");
const output = join(stage.folder, "training");
const places = { BACKEND: "local", INPUT: input, OUTPUT: output };
const asked = { ...places, PAIRS: "audusd,gbpusd", RUN: "a-run", CEILING: "2GiB", WIDEMERGE_EXPECT_TABLES: "6" };

describe("a run on this machine", () => {
  execFileSync(
    join(stage.checkout, "bin/widemerge"),
    ["sample", "--out", input, "--pairs", "audusd,gbpusd", "--tables", "5", "--rows", "500"],
    { stdio: "pipe" },
  );

  test("a dry run plans it and writes nothing", () => {
    const { code, stdout, stderr } = stage.run("run-all", { ...asked, DRY_RUN: "1" });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /2 of 2 pairs to merge on local/);
    assert.ok(!existsSync(output), "a look leaves no trace");
  });

  test("run-all merges the pairs and leaves a report", () => {
    const { code, stdout, stderr } = stage.run("run-all", asked);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /2 pairs: 2 done/);
    for (const pair of ["audusd", "gbpusd"]) assert.ok(existsSync(join(output, `training_${pair}.manifest.json`)));
  });

  test("status tells how it went", () => {
    const { code, stdout, stderr } = stage.run("status", { OUTPUT: output });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /run a-run on local: 2 pairs: 2 done/);
  });

  test("report says where the file is", () => {
    const { code, stdout, stderr } = stage.run("report", { OUTPUT: output, RUN: "a-run" });
    assert.equal(code, 0, stderr);
    const path = stdout.match(/^report: (.*)$/m)?.[1] ?? "";
    assert.equal(path, join(output, "runs/a-run/report.html"));
    assert.match(readFileSync(path, "utf8"), /audusd/);
  });

  test("a run that fails hands its exit code on", () => {
    const { code, stderr } = stage.run("run-all", {
      ...asked,
      RUN: "b-run",
      WIDEMERGE_EXPECT_TABLES: "7",
      OUTPUT: join(stage.folder, "other"),
    });
    assert.equal(code, 3, stderr);
  });

  test("a folder as OUTPUT is for BACKEND=local alone, and wants INPUT", () => {
    const away = stage.run("run-all", { ...asked, BACKEND: "kubernetes" });
    assert.equal(away.code, 2);
    assert.match(away.stderr, /only BACKEND=local/);
    const { INPUT: _, ...without } = asked;
    assert.match(
      stage.run("run-all", without).stderr,
      /OUTPUT is a local folder, so INPUT must name the folder of the checkpoints/,
    );
  });
});
