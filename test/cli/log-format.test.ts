/** The log as people read it, and how much of it there is. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { runCli } from "../faults/support.ts";
import { scratchFolder } from "../support/folder.ts";

const folder = await scratchFolder("log-format");
const input = join(folder, "in");
let runs = 0;

/** Merges into a new folder, with the log that these flags and variables ask for. */
function merge(
  flags: readonly string[],
  variables: Readonly<Record<string, string | undefined>> = {},
  pair = "audusd",
) {
  runs += 1;
  const output = join(folder, `out-${runs}`);
  const environment = { CI: undefined, KUBERNETES_SERVICE_HOST: undefined, WIDEMERGE_LOG: undefined, ...variables };
  return runCli(["merge", pair, "--input", input, "--output", output, "--no-sync", ...flags], environment);
}

const linesOf = ({ stderr }: { readonly stderr: string }): readonly string[] =>
  stderr.split("\n").filter((line) => line !== "");

before(async () => {
  const sample = ["sample", "--out", input, "--pairs", "audusd", "--tables", "4", "--rows", "60"];
  assert.equal((await runCli(sample)).exitCode, 0);
});

test("text: a time and a sentence a line, without colours", async () => {
  const lines = linesOf(await merge(["--log", "text"]));
  assert.match(lines.join("\n"), /^\d\d:\d\d:\d\d audusd: merge: 5 of 5 tables/m);
  for (const line of lines) assert.match(line, /^\d\d:\d\d:\d\d [^{]+$/);
  assert.equal(stripVTControlCharacters(lines.join("")), lines.join(""));
});

test("auto: text in continuous integration, JSON on a platform that collects lines", async () => {
  assert.match((await merge([], { CI: "true" })).stderr, /^\d\d:\d\d:\d\d audusd: /);
  const json = linesOf(await merge([], { CI: "true", KUBERNETES_SERVICE_HOST: "10.0.0.1" }));
  assert.ok(json.every((line) => JSON.parse(line).severity === "INFO"));
});

test("quiet: only warnings and errors; verbose: every stage and every table", async () => {
  assert.deepEqual(linesOf(await merge(["--log", "text", "--quiet"])), []);
  const warned = await merge(["--log", "text", "--quiet", "--memory-warn", "1MiB"]);
  assert.match(warned.stderr, /^\d\d:\d\d:\d\d warning: audusd: the working set of .* has reached the warning level/);
  const text = (await merge(["--log", "text", "--verbose"])).stderr;
  for (const stage of ["inventory", "preflight", "plan", "merge", "footer", "verify", "publish"])
    assert.match(text, new RegExp(` audusd: ${stage} begins\n`));
  for (let table = 1; table <= 5; table += 1) assert.match(text, new RegExp(` merge: ${table} of 5 tables`));
});

test("a refusal is text once on stdout, and on stderr only where stdout has a document", async () => {
  const text = await merge(["--log", "text"], {}, "missing");
  assert.equal(text.exitCode, 3);
  assert.match(text.stdout, /missing: input refused \(exit 3\)[\s\S]*no checkpoint of missing/);
  assert.doesNotMatch(text.stderr, /no checkpoint/);
  const document = await merge(["--log", "text", "--json"], {}, "missing");
  assert.match(document.stderr, /^\d\d:\d\d:\d\d error: missing: no checkpoint of missing/m);
  const usage = await merge(["--naming", "x"], { WIDEMERGE_LOG: "text" });
  assert.match(usage.stderr, /^widemerge: stopped \(exit 2\)\n {2}- --naming is not allowed/);
});
