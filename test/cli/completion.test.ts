/** Completion scripts, in the shells themselves where they are installed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../faults/support.ts";
import { scratchFolder } from "../support/folder.ts";

const folder = await scratchFolder("completion");

async function writeScript(shell: string): Promise<string> {
  const { stdout, exitCode, stderr } = await runCli(["completion", shell]);
  assert.equal(exitCode, 0, stderr);
  const path = join(folder, `widemerge.${shell}`);
  writeFileSync(path, stdout);
  return path;
}

function absence(shell: string): string | false {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0 ? false : `${shell} is not installed`;
}

test("bash completes commands, flags and values", { skip: absence("bash") }, async () => {
  const path = await writeScript("bash");
  const complete = (...words: string[]): readonly string[] => {
    const line = words.map((word) => `'${word}'`).join(" ");
    const program = `source ${path}; COMP_WORDS=(widemerge ${line}); COMP_CWORD=${words.length}; _widemerge; echo "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", program], { encoding: "utf8" });
    assert.equal(stderr, "");
    return stdout.trim().split(/\s+/);
  };
  assert.deepEqual(complete("re"), ["report"]);
  assert.deepEqual(complete("merge", "--min"), ["--min-match"]);
  assert.deepEqual(complete("merge", "--duplicates", ""), ["error", "first", "last"]);
  assert.deepEqual(complete("verify", "--level", "s"), ["structure", "sample"]);
  assert.deepEqual(complete("run-all", "--no-re"), ["--no-require-marker"]);
  assert.deepEqual(complete("merge", "--input", "x"), [""]);
});

for (const shell of ["zsh", "fish"]) {
  test(`${shell} reads its script`, { skip: absence(shell) }, async () => {
    const { status, stderr } = spawnSync(shell, ["-n", await writeScript(shell)], { encoding: "utf8" });
    assert.deepEqual([status, stderr], [0, ""]);
  });

  test(`the script of ${shell} names every command and flag`, async () => {
    const { stdout } = await runCli(["completion", shell]);
    for (const word of ["run-all", "completion", "min-match", "require-marker", "error first last"])
      assert.ok(stdout.includes(word), word);
  });
}

test("another shell is refused with those that there are", async () => {
  const { exitCode, stderr } = await runCli(["completion", "tcsh"]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /Allowed choices are bash, zsh, fish/);
});
