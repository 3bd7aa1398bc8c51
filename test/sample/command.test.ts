import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { waitFor } from "../support/wait.ts";

const run = promisify(execFile);
const command = new URL("../../src/cli/sample.ts", import.meta.url).href;
const script = `
  const { sampleCommand } = await import(${JSON.stringify(command)});
  await sampleCommand().parseAsync(process.argv.slice(1), { from: "user" });
`;

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sample-"));
});
after(() => rm(folder, { recursive: true }));

const sample = (...flags: string[]) => run(process.execPath, ["--input-type=module", "-e", script, "--", ...flags]);

test("the summary says what was written, and how much of it is synthetic", async () => {
  const flags = ["--out", join(folder, "text"), "--pairs", "audusd", "--tables", "5", "--rows", "7000"];
  const { stdout, stderr } = await sample(...flags);
  assert.match(stdout, /^pairs +1 written$/m);
  assert.match(stdout, /^tables +6, targets included$/m);
  assert.match(stdout, /^rows +7,000 per table, 17 of them synthetic/m);
  assert.match(stdout, /^source +European Central Bank/m);
  assert.equal(stderr, "", "no progress bar where nobody sees it");
  assert.match((await sample(...flags)).stdout, /^pairs +0 written, 1 exists already/m);
});

test("with --json the summary is one document", async () => {
  const flags = ["--out", join(folder, "json"), "--pairs", "audusd,eurjpy", "--tables", "5", "--rows", "50", "--json"];
  const document = JSON.parse((await sample(...flags)).stdout);
  assert.deepEqual(
    document.pairs.map(({ pair, written }: { pair: string; written: boolean }) => [pair, written]),
    [
      ["audusd", true],
      ["eurjpy", true],
    ],
  );
  assert.equal(document.total.tables, 12);
  assert.match(document.source, /European Central Bank/);
});

test("the help has examples", async () => {
  const { stdout } = await sample("--help");
  assert.equal(stdout.match(/^ +widemerge sample --/gm)?.length, 2);
});

test("after SIGTERM, nothing unfinished is left", async () => {
  const out = join(folder, "stopped");
  const running = sample("--out", out, "--pairs", "audusd", "--full", "--rows", "20000");
  const ended = assert.rejects(running, { code: 1 });
  await waitFor(async () => (await readdir(out).catch(() => [])).length > 0, { what: "a file of the sample" });
  running.child.kill("SIGTERM");
  await ended;
  assert.deepEqual(await readdir(out), []);
});
