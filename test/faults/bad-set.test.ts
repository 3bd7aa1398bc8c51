/** A checkpoint that is not the expected set of files, an output that cannot be written, settings that make no sense. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { mountTmpfs } from "./mount.ts";
import { checkRefusal, type Refusal } from "./refusal.ts";
import { copyCheckpoint, listOutput, makeFolder, makeSample, runCli, snapshot } from "./support.ts";

const some = "pair_return_001_audusd";
const refusals: Readonly<Record<string, Refusal>> = {
  "the folder is missing": {
    spoil: (checkpoint) => rmSync(checkpoint, { recursive: true }),
    problems: [
      /no checkpoint of audusd in .* \| {2}\| check --input and the pair's name, or name its folder with --folders$/,
    ],
  },
  "the folder is a file": {
    spoil: (checkpoint) => {
      rmSync(checkpoint, { recursive: true });
      writeFileSync(checkpoint, "");
    },
    problems: [/no checkpoint of audusd in /],
  },
  "the marker is missing": {
    spoil: (checkpoint) => rmSync(join(checkpoint, "_COMPLETE")),
    problems: [/not marked complete: .* has no _COMPLETE \| {2}\| .*--no-require-marker/],
  },
  "the targets are missing": {
    spoil: (checkpoint) => rmSync(join(checkpoint, "targets.parquet")),
    problems: [/^targets \| no targets table: .* has no targets\.parquet \|/],
  },
  "a table is missing, by number": {
    spoil: (checkpoint) => rmSync(join(checkpoint, `${some}.parquet`)),
    args: () => ["--expect-tables", "7"],
    problems: [/7 tables expected, targets included \| 6 tables \| extract the missing tables/],
  },
  "a table too many, by number": {
    spoil: (checkpoint) =>
      copyFileSync(join(checkpoint, `${some}.parquet`), join(checkpoint, "pair_other_audusd.parquet")),
    args: () => ["--expect-tables", "7"],
    problems: [/7 tables expected, targets included \| 8 tables \| remove the tables that do not belong/],
  },
  "a table is missing and another one surplus, by name": {
    spoil: (checkpoint) =>
      renameSync(join(checkpoint, `${some}.parquet`), join(checkpoint, "pair_other_audusd.parquet")),
    args: (input) => ["--expect-tables", listNames(input)],
    problems: [
      new RegExp(`^${some} \\| table missing \\|  \\| extract this table$`),
      /^pair_other_audusd \| table not expected \| {2}\| remove it, or add it to .*expected\.txt$/,
    ],
  },
  "a table's name leads to a folder": {
    spoil: (checkpoint) => {
      rmSync(join(checkpoint, `${some}.parquet`));
      mkdirSync(join(checkpoint, `${some}.parquet`));
    },
    args: (input) => ["--expect-tables", listNames(input)],
    problems: [
      new RegExp(`^${some} \\| table missing`),
      new RegExp(
        `^ \\| looks like a table, but cannot be read as one: ${some}\\.parquet/ \\| a folder \\| each table is`,
      ),
    ],
  },
  "the list of expected tables is missing": {
    args: () => ["--expect-tables", "nowhere.txt"],
    problems: [/the list of expected tables does not exist: nowhere\.txt \|/],
    exitCode: ExitCode.usage,
  },
  "the output folder lies below a regular file": {
    spoil: (_, input) => writeFileSync(join(input, "file"), ""),
    args: (input) => ["--output", join(input, "file", "out")],
    problems: [/the output folder cannot be written \| (ENOTDIR|EEXIST).* \| .*choose another --output/],
  },
};

function listNames(input: string): string {
  const names = ["csi_strength_001", "mkt_return_001", "pair_momentum_001", "pair_return_001", "tri_residual_001"];
  const list = join(input, "expected.txt");
  writeFileSync(
    list,
    `# one a line\ntargets\n${[...names, "var_ratio_001"].map((name) => `${name}_{pair}.parquet\n`).join("")}`,
  );
  return list;
}

describe("a checkpoint or an output folder is refused because", { concurrency: 2 }, () => {
  const samples = makeFolder({ after });
  const checkpoint = join(samples, "audusd");
  before(() => makeSample(samples, { tables: 6, rows: 300 }));
  for (const [name, refusal] of Object.entries(refusals))
    it(name, (context) => checkRefusal(context, checkpoint, refusal).then(() => undefined));

  it("the pair's name could be a path", async (context) => {
    const folder = makeFolder(context);
    copyCheckpoint(checkpoint, join(folder, "in"));
    const names = ["../audusd", "A B", "", "audusd/", ".hidden", "a".repeat(64), "päir"];
    for (const name of names) {
      const run = await runCli(["merge", name, "--input", join(folder, "in"), "--output", join(folder, "out")]);
      assert.equal(run.exitCode, ExitCode.usage, name);
      assert.match(run.stderr, /not a valid pair name: found .*; use letters/);
      assert.equal(JSON.parse(run.stderr).found, JSON.stringify(name));
    }
    assert.deepEqual(listOutput(join(folder, "out")), []);
  });

  it("settings are wrong, all of them told at once", async (context) => {
    const folder = makeFolder(context);
    const input = join(folder, "in");
    copyCheckpoint(checkpoint, input);
    writeFileSync(join(folder, "config.yaml"), "naming: suffix\nrowGroupRows: 0\nspeed: high\n");
    const { exitCode, stderr } = await runCli(
      ["merge", "audusd", "--input", input, "--config", join(folder, "config.yaml"), "--verify", "a bit"],
      { WIDEMERGE_MEMORY_CEILING: "lots", WIDEMERGE_SPEED: "1", WIDEMERGE_REPLACE: "maybe" },
    );
    assert.equal(exitCode, ExitCode.usage);
    const messages = stderr
      .trimEnd()
      .split("\n")
      .map((line) => String(JSON.parse(line).message));
    for (const line of [
      /naming in .*config\.yaml is not allowed: found "suffix"; allowed: prefix or keep/,
      /rowGroupRows in .* is not allowed: found 0; allowed: auto, or a whole number/,
      /unknown setting speed in .*config\.yaml: known are/,
      /--verify is not allowed: found "a bit"; allowed: structure, sample or full/,
      /WIDEMERGE_MEMORY_CEILING is not allowed: found "lots"; allowed: auto, or a size/,
      /unknown variable WIDEMERGE_SPEED: found 1/,
      /WIDEMERGE_REPLACE is not allowed: found "maybe"; allowed: true or false/,
    ])
      assert.match(messages.join("\n"), line);
    assert.deepEqual(listOutput(join(folder, "training")), []);
  });

  it("it is one of several, and the text tells all of them", async (context) => {
    const folder = makeFolder(context);
    const input = join(folder, "in");
    const copy = copyCheckpoint(checkpoint, input);
    rmSync(join(copy, "_COMPLETE"));
    writeFileSync(join(copy, `${some}.parquet`), "");
    rmSync(join(copy, "var_ratio_001_audusd.parquet"));
    writeFileSync(join(input, "file"), "");
    const before = snapshot(input);
    const list = listNames(input);
    const output = join(input, "file", "out");
    const run = await runCli(["merge", "audusd", "--input", input, "--output", output, "--expect-tables", list]);
    assert.equal(run.exitCode, ExitCode.input);
    const lines = run.stdout.split("\n");
    assert.match(lines[0] ?? "", /audusd: input refused \(exit 3\)/);
    for (const line of [
      /- the checkpoint is not marked complete: .* has no _COMPLETE: wait until the extraction has finished/,
      /- pair_return_001_audusd: not a readable Parquet file: found 0 bytes; extract this table again/,
      /- var_ratio_001_audusd: table missing: extract this table/,
      /- the output folder cannot be written: found .*; make sure that/,
    ])
      assert.match(run.stdout, line);
    assert.deepEqual({ ...snapshot(input), "expected.txt": "" }, { ...before, "expected.txt": "" });
  });
});

it("refuses an output folder on a read-only file system", async (context) => {
  const folder = makeFolder(context);
  const input = join(folder, "in");
  await makeSample(input, { tables: 1, rows: 50 });
  const place = mountTmpfs(context, "ro,size=1m");
  if (place === undefined) return context.skip("cannot mount a read-only file system here (needs root)");
  for (const output of [place, join(place, "new")]) {
    const run = await runCli(["merge", "audusd", "--input", input, "--output", output]);
    assert.equal(run.exitCode, ExitCode.input, run.stdout);
    assert.match(run.stdout, /the output folder cannot be written: found EROFS.*; make sure that/);
  }
});
