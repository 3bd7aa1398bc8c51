import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { loadFile } from "./support/bytes.ts";
import { scratchFolder } from "./support/folder.ts";

const program = new URL("../bin/widemerge", import.meta.url).pathname;
const folder = await scratchFolder("cli");
const checkpoints = join(folder, "checkpoints");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a user would, with nothing of the caller's settings. */
async function widemerge(flags: readonly string[], variables: Record<string, string> = {}): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("WIDEMERGE_"));
  const env = { ...Object.fromEntries(inherited), WIDEMERGE_LOG: "json", ...variables };
  const child = spawn(program, flags, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout: await stdout, stderr: await stderr };
}

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The one document of --json. */
function parseOne(ended: Ended): Record<string, unknown> {
  assert.match(ended.stdout, /^\{.*\}\n$/, `one line: ${ended.stdout}${ended.stderr}`);
  return JSON.parse(ended.stdout);
}

function makeOutput(): string {
  return mkdtempSync(join(folder, "out-"));
}

const merge = (output: string, ...flags: string[]) =>
  widemerge(["merge", "audusd", "--input", checkpoints, "--output", output, ...flags]);

before(async () => {
  const flags = ["--out", checkpoints, "--pairs", "audusd,eurjpy", "--tables", "12", "--rows", "120"];
  const ended = await widemerge(["sample", ...flags, "--misaligned", "0.25", "--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const document = parseOne(ended);
  assert.deepEqual(document.total && Object.keys(document.total), ["tables", "columns", "bytes"]);
});

test("merge --json prints one document with everything that a script needs", async () => {
  const output = makeOutput();
  const ended = await merge(output, "--json");
  assert.equal(ended.code, 0, ended.stderr);
  const document = parseOne(ended);
  const { tables, bytes, stages, peakMemoryBytes, ceilingBytes, seconds, problems, columns } = document;
  assert.deepEqual(
    [document.pair, document.outcome, document.exitCode, document.rows, problems],
    ["audusd", "done", 0, 120, []],
  );
  assert.deepEqual(tables, { total: 13, spliced: 10, aligned: 3 });
  const size = statSync(join(output, "training_audusd.parquet")).size;
  assert.ok(typeof bytes === "object" && bytes !== null && "written" in bytes && "read" in bytes);
  assert.equal(bytes.written, size);
  assert.ok(Number(bytes.read) > 0);
  assert.ok(Number(columns) > 49 && Number(seconds) > 0);
  assert.ok(Number(peakMemoryBytes) > 20e6 && Number(peakMemoryBytes) < Number(ceilingBytes));
  assert.deepEqual(
    Array.isArray(stages) && stages.map(({ stage }) => stage),
    ["inventory", "preflight", "plan", "merge", "footer", "verify", "publish"].slice(0, 6).concat("publish"),
  );
  assert.equal(document.output, join(output, "training_audusd.parquet"));
  assert.equal(document.manifest, join(output, "training_audusd.manifest.json"));
  assert.deepEqual(readdirSync(output).sort(), ["training_audusd.manifest.json", "training_audusd.parquet"]);
});

test("without --json the result is one line for people, and one for each table with other rows", async () => {
  const { stdout } = await merge(makeOutput());
  assert.match(
    stdout,
    /^audusd +120 rows × \d+ columns {2}\| {2}13 tables: 10 spliced, 3 aligned {2}\| .* peak .* of .*\n {2}\d tables? ha(s|ve) other rows than the targets:\n( {4}\S+ +\d+ of 120 rows matched, \d+ null-filled, \d+ dropped\n)+$/,
  );
});

test("a merge that is done already says so and touches nothing; --replace is for other inputs", async () => {
  const output = makeOutput();
  const input = join(makeOutput(), "in");
  cpSync(checkpoints, input, { recursive: true });
  const run = (...flags: string[]) =>
    widemerge(["merge", "audusd", "--input", input, "--output", output, "--json", ...flags]);
  assert.equal((await run()).code, 0);
  const state = () =>
    readdirSync(output).map((name) => {
      const { mtimeMs, ino, size } = statSync(join(output, name));
      return [name, mtimeMs, ino, size];
    });
  const before = state();
  const again = await run();
  assert.equal(again.code, 0);
  assert.equal(parseOne(again).outcome, "already done");
  assert.deepEqual(parseOne(again).bytes, { read: 0, written: 0 });
  assert.deepEqual(state(), before);
  const tables = readdirSync(join(input, "audusd")).filter((name) => /^pair.*parquet$/.test(name));
  rmSync(join(input, "audusd", tables[0] ?? ""));
  const refused = await run();
  assert.equal(refused.code, 3);
  assert.match(JSON.stringify(parseOne(refused).problems), /13 tables, now there are 12/);
  assert.deepEqual(state(), before);
  const replaced = await run("--replace");
  assert.equal(replaced.code, 0, replaced.stderr);
  assert.equal(parseOne(replaced).outcome, "done");
  assert.deepEqual(parseOne(replaced).tables, { ...Object(parseOne(replaced).tables), total: 12 });
  assert.notDeepEqual(state(), before);
});

test("expected tables: a number, or a file of names in which {pair} stands for the pair", async () => {
  const output = makeOutput();
  const wrong = await merge(output, "--expect-tables", "14", "--json");
  assert.equal(wrong.code, 3);
  assert.match(JSON.stringify(parseOne(wrong).problems), /14 tables expected, targets included.*13 tables/);
  const names = readdirSync(join(checkpoints, "audusd")).filter((name) => name.endsWith(".parquet"));
  const list = join(output, "tables.txt");
  const lines = names.map((name) => name.replace("audusd", "{pair}"));
  writeFileSync(list, `# all tables\n${lines.slice(1).join("\n")}\nmissing_{pair}.parquet\n`);
  const both = await merge(output, "--expect-tables", list, "--json");
  assert.equal(both.code, 3);
  const text = JSON.stringify(parseOne(both).problems);
  assert.match(text, /"what":"table missing".*"table":"missing_audusd"/);
  assert.match(text, new RegExp(`"what":"table not expected".*"table":"${names[0]?.replace(".parquet", "")}"`));
  assert.deepEqual(readdirSync(output), ["tables.txt"]);
  writeFileSync(list, lines.join("\n"));
  assert.equal((await merge(output, "--expect-tables", list)).code, 0);
  const fewer = await merge(output, "--expect-tables", "668", "--json");
  assert.equal(fewer.code, 3, "what is there already does not excuse a missing table");
});

test("progress is a line of the log every so many tables, with the memory", async () => {
  const { stderr } = await merge(makeOutput(), "--log-every", "5");
  const lines = stderr.split("\n").filter((line) => line !== "");
  const merged = lines.map((line) => JSON.parse(line)).filter((line) => line.stage === "merge");
  assert.deepEqual(
    merged.map(({ tablesDone }) => tablesDone),
    [5, 10, 13],
  );
  for (const line of merged) {
    assert.match(line.message, /^audusd: merge: \d+ of 13 tables/);
    assert.equal(line.tables, 13);
    assert.equal(line.severity, "INFO");
    assert.ok(line.workingSetBytes > 0 && line.ceilingBytes > line.workingSetBytes);
  }
});

test("settings come from the file, then variables, then flags", async () => {
  const output = makeOutput();
  const config = join(output, "config.yaml");
  writeFileSync(config, `input: ${checkpoints}\noutput: nowhere\nnaming: keep\nduplicates: middle\n`);
  const variables = { WIDEMERGE_CONFIG: config, WIDEMERGE_OUTPUT: output, WIDEMERGE_NAMING: "prefix" };
  const ended = await widemerge(["merge", "audusd", "--duplicates", "last", "--json"], variables);
  assert.equal(ended.code, 0, ended.stderr);
  const manifest = JSON.parse(readFileSync(join(output, "training_audusd.manifest.json"), "utf8"));
  assert.deepEqual(
    [manifest.settings.naming, manifest.settings.duplicates, parseOne(ended).output],
    ["prefix", "last", join(output, "training_audusd.parquet")],
  );
});

const usage: [string, string[], RegExp][] = [
  ["an unknown command", ["blend"], /unknown command 'blend'/],
  ["an unknown flag", ["merge", "audusd", "--fast"], /unknown option '--fast'/],
  ["no pair", ["merge"], /no pair to merge/],
  ["a pair that is a path", ["merge", "../x"], /not a valid pair name: found \\"\.\.\/x\\"/],
  ["an empty pair", ["merge", ""], /not a valid pair name: found \\"\\"/],
  [
    "two wrong settings",
    ["merge", "a", "--verify", "x", "--naming", "y"],
    /--naming is not allowed[\s\S]*--verify is not allowed/,
  ],
  ["an unknown level", ["verify", "a", "--level", "x"], /Allowed choices are structure, sample, full/],
  ["no pair to plan", ["plan"], /no pair to plan/],
  [
    "two pairs to merge",
    ["merge", "a", "b"],
    /merge takes one pair: found a b; merge them with `widemerge run-all --pairs a,b`/,
  ],
  [
    "a list of tables that is not there",
    ["merge", "audusd", "--input", checkpoints, "--expect-tables", "none.txt"],
    /the list of expected tables does not exist: none\.txt: give --expect-tables/,
  ],
];

for (const [name, flags, pattern] of usage) {
  test(`${name} ends with exit 2`, async () => {
    const { code, stderr, stdout } = await widemerge(flags);
    assert.match(stderr + stdout, pattern);
    assert.equal(code, 2);
  });
}

test("a missing checkpoint ends with exit 3, in the document too, and makes nothing", async () => {
  const output = join(makeOutput(), "deep");
  const ended = await widemerge(["merge", "nzdusd", "--input", checkpoints, "--output", output, "--json"]);
  assert.equal(ended.code, 3);
  const document = parseOne(ended);
  assert.deepEqual([document.outcome, document.exitCode, document.rows], ["input refused", 3, 0]);
  assert.match(JSON.stringify(document.problems), /no checkpoint of nzdusd/);
});

test("a ceiling that is too low is refused before anything is read, with one that would do", async () => {
  const output = makeOutput();
  const ended = await merge(output, "--memory-ceiling", "64MiB", "--json");
  assert.equal(ended.code, 4, ended.stderr);
  assert.match(JSON.stringify(parseOne(ended).problems), /MiB/);
  assert.deepEqual(readdirSync(output), []);
});

test("help of every command says what it does, its flags, and examples", async () => {
  const { stdout, code } = await widemerge(["--help"]);
  assert.equal(code, 0);
  for (const command of ["sample", "plan", "merge", "verify"]) {
    assert.match(stdout, new RegExp(`^ +${command} `, "m"));
    const help = await widemerge([command, "--help"]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, new RegExp(`^Usage: widemerge ${command} `));
    assert.match(help.stdout, new RegExp(`^ +widemerge ${command} .+`, "m"), "an example");
    assert.equal(help.stderr, "");
  }
  const { stdout: merging } = await widemerge(["merge", "--help"]);
  for (const flag of "input output config memory-ceiling duplicates naming row-group-rows expect-tables verify replace json".split(
    " ",
  ))
    assert.match(merging, new RegExp(`--${flag}\\b`));
  assert.match(merging, /WIDEMERGE_MEMORY_CEILING, default: auto/);
  for (const flag of ["--version", "-v"]) assert.match((await widemerge([flag])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test("plan says what a merge would do, table by table, and writes nothing", async () => {
  const output = makeOutput();
  const flags = ["--input", checkpoints, "--output", output];
  const short = await widemerge(["plan", "audusd", ...flags]);
  assert.equal(short.code, 0, short.stderr);
  assert.match(short.stdout, /^audusd\n {2}tables +13: 10 spliced, 3 aligned\n/);
  assert.match(short.stdout, /predicted peak, fits under the ceiling of/);
  const long = await widemerge(["plan", "--pairs", "audusd,eurjpy", "--list-tables", ...flags]);
  assert.equal(long.stdout.match(/^ {2}(splice|align) /gm)?.length, 26);
  const json = parseOne(await widemerge(["plan", "audusd", "nzdusd", "--json", ...flags]));
  assert.ok(Array.isArray(json.plans) && Array.isArray(json.failed));
  assert.equal(json.plans[0].tables.length, 13);
  assert.deepEqual([json.failed[0].pair, json.failed[0].exitCode], ["nzdusd", 3]);
  assert.deepEqual(readdirSync(output), []);
});

/** Flips one byte of the output, within the body of a page of a column. */
async function tamper(output: string, column: string): Promise<void> {
  const path = join(output, "training_audusd.parquet");
  const { footer, bytes } = await loadFile(path);
  const chunk = footer.rowGroups[0]?.chunks.find((candidate) => candidate.path[0] === column);
  assert.ok(chunk, column);
  const at = chunk.start + chunk.size - 20;
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
}

test("verify passes on every level, and finds one flipped byte of an aligned column", async () => {
  const output = makeOutput();
  const merged = await merge(output, "--json");
  assert.equal(merged.code, 0);
  const check = (target: string, level: string) =>
    widemerge(["verify", target, "--level", level, "--input", checkpoints, "--output", output, "--json"]);
  const found = await Promise.all(["structure", "sample", "full"].map((level) => check("audusd", level)));
  const documents = found.map(parseOne);
  assert.deepEqual(
    found.map(({ code }) => code),
    [0, 0, 0],
    JSON.stringify(documents.map(({ problems }) => problems)),
  );
  assert.deepEqual(
    documents.map(({ columnsCompared }) => columnsCompared),
    [0, 14, Number(documents[0]?.columns)],
  );
  const manifest = JSON.parse(readFileSync(join(output, "training_audusd.manifest.json"), "utf8"));
  const aligned = manifest.inputs.find(({ action }: { action: string }) => action === "align");
  await tamper(output, aligned.columns.at(-1).output);
  const full = await check("audusd", "full");
  assert.equal(full.code, 5);
  assert.match(JSON.stringify(parseOne(full).problems), /CRC32C|differ|decode/);
});

test("verify looks at the structure of any Parquet file, and refuses what is none", async () => {
  const output = makeOutput();
  const table = readdirSync(join(checkpoints, "audusd")).find((name) => name.endsWith(".parquet")) ?? "";
  const good = await widemerge(["verify", join(checkpoints, "audusd", table)]);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /structure check passed: 1\d\d rows × \d+ columns, 1 row group, \d+ pages walked\n$/);
  const broken = join(output, "broken.parquet");
  writeFileSync(broken, readFileSync(join(checkpoints, "audusd", table)).subarray(0, 2000));
  const bad = await widemerge(["verify", broken, "--json"]);
  assert.equal(bad.code, 5);
  assert.match(JSON.stringify(parseOne(bad).problems), /not Parquet, or truncated/);
  assert.equal((await widemerge(["verify", join(output, "none.parquet")])).code, 3);
  assert.equal((await widemerge(["verify", broken, "--level", "full"])).code, 3);
});
