/** Bytes inside a page that changed: what a merge and each level of verification can see of it, and what they cannot. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { crc32 } from "node:zlib";
import { ExitCode } from "../../src/model/exit-code.ts";
import type { Verification } from "../../src/model/result.ts";
import { checkRefusal } from "./refusal.ts";
import {
  addPageChecksum,
  checkManifest,
  chunkPlace,
  copyCheckpoint,
  finishedNames,
  flip,
  listOutput,
  makeFolder,
  makeSample,
  pageBody,
  resultOf,
  runCli,
} from "./support.ts";

const table = "pair_return_001_audusd";
const levels = ["structure", "sample", "full"] as const;

/** In the middle of the page's values: another number, but a page that can be decoded. */
function flipValues(path: string, column = 1): void {
  const { start, size } = chunkPlace(path, column);
  flip(path, start + Math.floor(size / 2), 2);
}

/** The start of the compressed block, behind its length: nothing of it can be decoded. */
function breakPage(path: string, column = 1): void {
  flip(path, pageBody(path, column) + 3, 40);
}

describe("a flipped byte in a page without checksum, in a table that is spliced", { concurrency: 2 }, () => {
  const samples = makeFolder({ after });
  before(() => makeSample(samples, { tables: 6, rows: 600 }));

  for (const level of levels)
    it(`is copied as it is: ${level} compares with the source, which says the same`, async (context) => {
      const { run, output, input } = await mergeDamaged(context, join(samples, "audusd"), flipValues, level);
      assert.equal(run.exitCode, ExitCode.done, run.stdout);
      assert.deepEqual(listOutput(output), finishedNames);
      const { output: written } = checkManifest(output);
      const bytes = readFileSync(join(input, "audusd", `${table}.parquet`));
      const { start, size } = chunkPlace(join(input, "audusd", `${table}.parquet`), 1);
      assert.ok(readFileSync(join(output, written.name)).includes(bytes.subarray(start, start + size)));
    });
});

describe("a page that cannot be decoded", { concurrency: 2 }, () => {
  const [sound, askew] = [makeFolder({ after }), makeFolder({ after })];
  before(async () => {
    await makeSample(sound, { tables: 6, rows: 600 });
    await makeSample(askew, { tables: 6, rows: 600, misaligned: 1 });
  });

  for (const level of levels)
    it(`stops the merge of a table that is aligned, at level ${level}`, async (context) => {
      await checkRefusal(context, join(askew, "audusd"), {
        spoil: (checkpoint) => breakPage(join(checkpoint, `${table}.parquet`)),
        args: () => ["--verify", level],
        problems: [new RegExp(`^${table} \\| .*(decoded|unreadable) \\| .*(w5_lag0).* \\| extract this table again`)],
      });
    });

  it("is found by the full verification of a table that is spliced", async (context) => {
    await checkRefusal(context, join(sound, "audusd"), {
      spoil: (checkpoint) => breakPage(join(checkpoint, `${table}.parquet`)),
      args: () => ["--verify", "full"],
      problems: [new RegExp(`^${table} \\| damaged or unreadable \\| column w5_lag0 cannot be decoded: page \\d`)],
    });
  });

  it("is found in the key before the merge", async (context) => {
    await checkRefusal(context, join(sound, "audusd"), {
      spoil: (checkpoint) => breakPage(join(checkpoint, `${table}.parquet`), 0),
      problems: [new RegExp(`^${table} \\| (key column interval_time cannot be decoded|.*) \\| `)],
    });
  });
});

describe("a page with a checksum", { concurrency: 2 }, () => {
  const samples = makeFolder({ after });
  before(async () => {
    const checkpoint = await makeSample(samples, { tables: 6, rows: 600 });
    addPageChecksum(join(checkpoint, `${table}.parquet`), (body) => crc32(body));
  });
  const last = -1;

  it("passes every level when it is sound", async (context) => {
    const { run, output } = await mergeDamaged(context, join(samples, "audusd"), () => undefined, "full");
    assert.equal(run.exitCode, ExitCode.done, run.stdout);
    checkManifest(output);
  });

  for (const level of levels)
    it(`is refused by a merge that splices it when it is damaged, at level ${level}`, async (context) => {
      await checkRefusal(context, join(samples, "audusd"), {
        spoil: (checkpoint) => flipValues(join(checkpoint, `${table}.parquet`), last),
        args: () => ["--verify", level],
        problems: [
          new RegExp(
            `^${table} .*, row group 0: page 0: CRC32 \\d+, the header says \\d+ \\| extract this table again`,
          ),
        ],
      });
    });

  for (const level of levels)
    it(`is refused by a merge that aligns it when it is damaged, at level ${level}`, async (context) => {
      await checkRefusal(context, join(samples, "audusd"), {
        spoil: (checkpoint) => flipValues(join(checkpoint, `${table}.parquet`), last),
        args: () => ["--verify", level, "--row-group-rows", "150"],
        problems: [new RegExp(`^${table} .*page 0: CRC32 \\d+, the header says \\d+ \\| extract this table again`)],
      });
    });

  it("is found in an output by verify, and so is any other changed byte, by the manifest's CRC32C", async (context) => {
    const { input, output } = await mergeDamaged(context, join(samples, "audusd"), () => undefined, "structure");
    const path = join(output, "training_audusd.parquet");
    const bytes = readFileSync(path);
    const found = new Map<string, number | null>();
    for (const level of levels) {
      flip(path, Math.floor(bytes.length / 2), 1);
      const run = await runCli(["verify", "audusd", "--level", level, "--input", input, "--output", output, "--json"]);
      const { problems }: Verification = JSON.parse(run.stdout);
      assert.equal(problems.length > 0, run.exitCode === ExitCode.verification, run.stdout);
      if (level === "full") assert.match(JSON.stringify(problems), /not the file that its manifest describes/);
      found.set(level, run.exitCode);
      writeFileSync(path, bytes);
    }
    assert.equal(found.get("full"), ExitCode.verification);
  });
});

async function mergeDamaged(
  context: TestContext,
  checkpoint: string,
  damage: (path: string) => void,
  level: string,
): Promise<{ run: Awaited<ReturnType<typeof runCli>>; input: string; output: string }> {
  const folder = makeFolder(context);
  const [input, output] = [join(folder, "in"), join(folder, "out")];
  damage(join(copyCheckpoint(checkpoint, input), `${table}.parquet`));
  const run = await runCli(["merge", "audusd", "--input", input, "--output", output, "--verify", level, "--json"]);
  assert.equal(resultOf(run).exitCode, run.exitCode);
  return { run, input, output };
}
