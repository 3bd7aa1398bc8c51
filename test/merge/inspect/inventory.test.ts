import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { takeInventory } from "../../../src/merge/inspect/inventory.ts";
import { describeProblem } from "../../../src/model/failure.ts";
import { codeOf } from "../../../src/store/local/file.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, makePairContext, makeSettings, type SomeSettings } from "../../support/in-process.ts";
import { keyed, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("inventory");
const { input } = writeTables(root, { targets: keyed(["1"]), b: keyed(["1"]), a_pair: keyed(["1"]) });
const folder = join(input, "pair");
writeFileSync(join(folder, "notes.txt"), "not a table");
mkdirSync(join(folder, "deep"));

const take = (settings: SomeSettings = {}, pair = "pair") =>
  takeInventory(makePairContext(pair, join(root, "out")), makeSettings({ input, ...settings }));
const found = async (settings: SomeSettings) => (await take(settings)).problems.map(describeProblem);

function list(...lines: string[]): string {
  const path = join(root, "tables.txt");
  writeFileSync(path, lines.join("\n"));
  return path;
}

test("targets and feature tables by name, with size and version; nothing else", async () => {
  const { targets, features, problems, ignored } = await take();
  assert.deepEqual(ignored, ["deep/", "notes.txt"]);
  assert.equal(targets?.file.table, "targets");
  assert.deepEqual([targets?.isTargets, ...features.map(({ isTargets }) => isTargets)], [true, false, false]);
  assert.deepEqual(
    features.map(({ file }) => [file.table, file.path]),
    [
      ["a_pair", join(folder, "a_pair.parquet")],
      ["b", join(folder, "b.parquet")],
    ],
  );
  assert.ok(features.every(({ file }) => file.size > 0 && file.version.length > 0));
  assert.deepEqual(problems, []);
});

test("what looks like a table and cannot be taken as one is refused by name", async () => {
  const own = join(root, "untaken", "pair");
  mkdirSync(join(own, "by_day", "day=1"), { recursive: true });
  mkdirSync(join(own, "spark"));
  mkdirSync(join(own, ".ipynb_checkpoints"));
  mkdirSync(join(own, "parts.parquet"));
  for (const name of ["_COMPLETE", "targets.parquet", "Foo.PARQUET", "bar.pq", "_SUCCESS", "spark/part-0.parquet"])
    writeFileSync(join(own, name), "");
  writeFileSync(join(own, ".ipynb_checkpoints", "a.parquet"), "");
  symlinkSync(join(root, "nowhere"), join(own, "broken.parquet"));
  symlinkSync(join(root, "nowhere"), join(own, "broken"));
  const { ignored, problems } = await take({ input: join(root, "untaken") });
  assert.deepEqual(ignored, [".ipynb_checkpoints/", "_SUCCESS", "broken"]);
  const fix = "each table is one file <table>.parquet: write it as that, or leave it out with --exclude-tables";
  const line = (name: string, kind: string, table: string) =>
    `looks like a table, but cannot be read as one: ${name}: found ${kind}; ${fix} ${table}`;
  assert.deepEqual(problems.map(describeProblem), [
    line("Foo.PARQUET", "a file", "Foo"),
    line("bar.pq", "a file", "bar"),
    line("broken.parquet", "a link to nothing", "broken"),
    line("by_day/", "a folder", "by_day"),
    line("parts.parquet/", "a folder", "parts"),
    line("spark/", "a folder", "spark"),
  ]);
  const excludeTables = ["Foo", "bar", "broken", "by_day", "parts"];
  const left = await take({ input: join(root, "untaken"), excludeTables });
  assert.deepEqual(left.problems.map(describeProblem), [line("spark/", "a folder", "spark")]);
  assert.deepEqual(left.excluded, ["Foo.PARQUET", "bar.pq", "broken.parquet", "by_day/", "parts.parquet/"]);
});

test("what cannot be read as a file is refused in one go, and nothing waits for a FIFO", async () => {
  const own = join(root, "strange", "pair");
  mkdirSync(own, { recursive: true });
  for (const name of ["_COMPLETE", "targets.parquet"]) writeFileSync(join(own, name), "");
  symlinkSync(join(own, "gone", "deep"), join(own, "dangling.parquet"));
  symlinkSync(join(own, "loop.parquet"), join(own, "loop.parquet"));
  symlinkSync("/dev/null", join(own, "device.parquet"));
  execFileSync("mkfifo", [join(own, "fifo.parquet")]);
  mkdirSync(join(own, "folder.parquet"));
  const { problems } = await take({ input: join(root, "strange") });
  assert.deepEqual(
    problems.map(({ what, found: kind }) => [
      what.replace("looks like a table, but cannot be read as one: ", ""),
      kind,
    ]),
    [
      ["dangling.parquet", "a link to nothing"],
      ["device.parquet", "a device"],
      ["fifo.parquet", "a FIFO"],
      ["folder.parquet/", "a folder"],
      ["loop.parquet", "a link that leads back to itself"],
    ],
  );
});

test("names that are not UTF-8 are refused with their bytes", async (context) => {
  const own = join(root, "bytes", "pair");
  mkdirSync(own, { recursive: true });
  for (const name of ["_COMPLETE", "targets.parquet"]) writeFileSync(join(own, name), "");
  const named = (...bytes: number[]) => Buffer.concat([Buffer.from(`${own}/`), Buffer.from(bytes)]);
  try {
    writeFileSync(Buffer.concat([named(0x62, 0xff), Buffer.from(".parquet")]), "");
  } catch (error) {
    if (codeOf(error) === "EILSEQ") return context.skip("this file system takes no name that is not UTF-8");
    throw error;
  }
  writeFileSync(named(0x6e, 0xfe), "");
  mkdirSync(named(0x64, 0xfd));
  const { problems, ignored } = await take({ input: join(root, "bytes") });
  assert.deepEqual(
    problems.map(({ what, found: kind }) => [what, kind]),
    [
      [
        "looks like a table, but cannot be read as one: b\ufffd.parquet",
        "a name that is not UTF-8: hexadecimal 62ff2e70617271756574",
      ],
      ["looks like a table, but cannot be read as one: d\ufffd/", "a name that is not UTF-8: hexadecimal 64fd"],
    ],
  );
  assert.deepEqual(ignored, ["n\ufffd"]);
});

test("a missing folder is a failure that names it", async () => {
  const failure = await failureOf(take({}, "none"));
  assert.equal(failure.exitCode, 3);
  assert.match(
    failure.message,
    new RegExp(
      `^no checkpoint of none in ${input}: check --input and the pair's name, or name its folder with --folders$`,
    ),
  );
});

test("targets may have another name, and must be there", async () => {
  assert.equal((await take({ targets: "b" })).targets?.file.table, "b");
  assert.deepEqual(await found({ targets: "y" }), [
    `y: no targets table: ${folder} has no y.parquet: extract the targets, or name their table with --targets`,
  ]);
});

const expectations: [string, () => SomeSettings, string[]][] = [
  ["the right number", () => ({ expectTables: 3 }), []],
  [
    "too few",
    () => ({ expectTables: 668 }),
    [
      "668 tables expected, targets included: found 3 tables; extract the missing tables; --expect-tables FILE with a list of names says which ones",
    ],
  ],
  [
    "too many",
    () => ({ expectTables: "2" }),
    [
      "2 tables expected, targets included: found 3 tables; remove the tables that do not belong there, or correct --expect-tables",
    ],
  ],
  ["the right names", () => ({ expectTables: list("targets", "b.parquet", "a_{pair} # families", "", "# end") }), []],
  [
    "other names",
    () => ({ expectTables: list("targets", "a_{pair}", "c_{pair}", "d") }),
    [
      "c_pair: table missing: extract this table",
      "d: table missing: extract this table",
      `b: table not expected: remove it, or add it to ${join(root, "tables.txt")}`,
    ],
  ],
  ["a list with Windows line ends", () => ({ expectTables: list("targets\r", "b\r", "a_pair\r") }), []],
];

for (const [name, settings, expected] of expectations)
  test(`expected tables: ${name}`, async () => assert.deepEqual(await found(settings()), expected));

test("a list that is not there is a usage error", async () => {
  const failure = await failureOf(take({ expectTables: join(root, "none.txt") }));
  assert.equal(failure.exitCode, 2);
  assert.equal(
    failure.message,
    `the list of expected tables does not exist: ${join(root, "none.txt")}: give --expect-tables a number or an existing file`,
  );
});

test("feature tables can be chosen and excluded by patterns; the targets stay, and expectations count all tables", async () => {
  const chosen = async (settings: SomeSettings) => {
    const { targets, features, excluded, problems } = await take({ expectTables: 3, ...settings });
    assert.deepEqual([targets?.file.table, problems], ["targets", []]);
    return [features.map(({ file }) => file.table), excluded];
  };
  assert.deepEqual(await chosen({}), [["a_pair", "b"], []]);
  assert.deepEqual(await chosen({ tables: "a_*" }), [["a_pair"], ["b"]]);
  assert.deepEqual(await chosen({ tables: "?_{pair},b.parquet" }), [["a_pair", "b"], []]);
  assert.deepEqual(await chosen({ tables: "*", excludeTables: "b,targets" }), [["a_pair"], ["b"]]);
  assert.deepEqual(await found({ tables: "b,c_*", excludeTables: "c_*" }), [
    "no table matches c_* of --tables: correct the pattern, or leave it out",
  ]);
});

test("a checkpoint without its marker is not complete, unless that is allowed", async () => {
  rmSync(join(folder, "_COMPLETE"));
  assert.deepEqual(await found({}), [
    `the checkpoint is not marked complete: ${folder} has no _COMPLETE: wait until the extraction has finished, or pass --no-require-marker`,
  ]);
  assert.deepEqual(await found({ requireMarker: false }), []);
});
