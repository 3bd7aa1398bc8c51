import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";

const run = promisify(execFile);
const command = new URL("../../src/cli/manifest.ts", import.meta.url).href;
const failure = new URL("../../src/model/failure.ts", import.meta.url).href;
const script = `
  const { manifestCommand } = await import(${JSON.stringify(command)});
  const { toFailure } = await import(${JSON.stringify(failure)});
  try {
    await manifestCommand().parseAsync(process.argv.slice(1), { from: "user" });
  } catch (error) {
    console.error(toFailure(error).message);
    process.exitCode = toFailure(error).exitCode;
  }
`;
const manifest = (...flags: string[]) =>
  run(process.execPath, ["--no-warnings", "--input-type=module", "-e", script, "--", ...flags]);

const profile = new URL("../../profiles/27-pairs.yaml", import.meta.url).pathname;
const places = ["--input", "gs://bucket/checkpoints", "--output", "gs://bucket/training"];
const image = ["--image", "registry.example/widemerge:1.0.0"];

describe("widemerge manifest", () => {
  test("prints the Job of the 27-pair profile", async () => {
    const { stdout } = await manifest("--config", profile, "--run", "2026-11-21-a", ...places, ...image);
    const job = parse(stdout, { version: "1.1" });
    assert.equal(job.kind, "Job");
    assert.equal(job.metadata.name, "widemerge-2026-11-21-a-0");
    assert.equal(job.spec.completions, 27);
    const [container] = job.spec.template.spec.containers;
    assert.deepEqual(container.resources.limits, { cpu: "8", memory: "50Gi", "ephemeral-storage": "1Gi" });
    const env = new Map(container.env.map(({ name, value }: { name: string; value: string }) => [name, value]));
    assert.equal(env.get("WIDEMERGE_EXPECT_TABLES"), "668");
    assert.equal(env.get("WIDEMERGE_VERIFY"), "sample");
    assert.equal(env.get("WIDEMERGE_MEMORY_WARN"), `${45 * 2 ** 30}B`);
  });

  test("keeps texts that YAML would take for dates or numbers", async () => {
    const flags = ["--run", "2026-11-21", "--pairs", "123,0x1f", "--memory-ceiling", "2GiB", ...places, ...image];
    const { stdout } = await manifest(...flags);
    const { metadata } = parse(stdout, { version: "1.1" });
    assert.equal(metadata.labels["widemerge/run"], "2026-11-21");
    assert.equal(metadata.annotations["widemerge/pairs"], "123,0x1f");
  });

  test("says at once what is missing", async () => {
    await assert.rejects(manifest(...image), (error: { code: number; stderr: string }) => {
      assert.equal(error.code, 2);
      assert.equal(
        error.stderr,
        [
          "the run has no name: name it with --run, such as 2026-11-21-a\n",
          "no pair to merge: name pairs with --pairs, or in a profile\n",
          "a pod's memory cannot be auto: set --memory-ceiling, such as 50GiB\n",
        ].join(""),
      );
      return true;
    });
    const flags = ["--run", "a", "--pairs", "audusd", "--memory-ceiling", "2GiB"];
    await assert.rejects(manifest(...flags), (error: { code: number; stderr: string }) => {
      assert.equal(error.code, 2);
      assert.match(
        error.stderr,
        /^no container image is set: .*\na pod cannot reach the input: .*\na pod cannot reach the output: .*\n$/,
      );
      return true;
    });
  });
});
