import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { flagOf, resolveSettings, variableOf } from "../../src/config/resolve.ts";
import { settingNames } from "../../src/config/settings.ts";
import { Failure } from "../../src/model/failure.ts";
import { scratchFolder } from "../support/folder.ts";

const folder = await scratchFolder("config");
let files = 0;

function yaml(text: string): string {
  files += 1;
  const path = join(folder, `${files}.yaml`);
  writeFileSync(path, text);
  return path;
}

function problemsOf(raw: Partial<Parameters<typeof resolveSettings>[0]>): readonly string[] {
  try {
    resolveSettings({ flags: {}, environment: {}, ...raw });
  } catch (error) {
    assert.ok(error instanceof Failure);
    assert.equal(error.exitCode, 2);
    return error.message.split("\n");
  }
  throw new Error("no problem");
}

test("defaults stand where nothing is said", () => {
  const settings = resolveSettings({ flags: {}, environment: { PATH: "/bin" } });
  assert.deepEqual(settings, {
    input: "checkpoints",
    folders: {},
    output: "training",
    pairs: [],
    memoryCeiling: "auto",
    memoryWarn: "auto",
    memoryFree: 0,
    diskFree: "auto",
    key: "interval_time",
    targets: "targets",
    duplicates: "error",
    nullKeys: "error",
    minMatch: 50,
    naming: "prefix",
    separator: "_",
    rename: {},
    keyCast: "none",
    keepIndex: false,
    rowGroupRows: "auto",
    tables: [],
    excludeTables: [],
    requireMarker: true,
    verify: "structure",
    replace: false,
    sync: true,
    log: "auto",
    quiet: false,
    verbose: false,
    logEvery: 50,
    backend: "local",
    parallelism: "auto",
    memoryScope: "container",
    memoryCeilings: [],
    retries: 3,
    retriesUnexpected: 1,
    assembly: "auto",
    stallSeconds: 60,
    namespace: "widemerge",
    imagePullPolicy: "IfNotPresent",
    cpu: "auto",
    autopilot: false,
    spot: false,
    nodeSelector: [],
    tolerations: [],
    keepFinished: 604800,
    taskTimeout: 14400,
  });
  assert.ok(Object.isFrozen(settings));
});

test("the example profile is for the checkpoints of the demo", () => {
  const file = new URL("../../profiles/example.yaml", import.meta.url).pathname;
  const { input, expectTables, requireMarker, memoryFree, pairs } = resolveSettings({
    flags: {},
    environment: {},
    file,
  });
  assert.deepEqual([input, expectTables, requireMarker, memoryFree, pairs], ["demo/checkpoints", 41, true, 0, []]);
});

test("flags win over variables, variables over the file, the file over defaults", () => {
  const file = yaml("input: file\noutput: file\nkey: file\nmemoryCeiling: 50GiB\nreplace: true\n");
  const environment = { WIDEMERGE_INPUT: "variable", WIDEMERGE_OUTPUT: "variable", WIDEMERGE_REPLACE: "false" };
  const settings = resolveSettings({ flags: { input: "flag", key: undefined }, environment, file });
  assert.equal(settings.input, "flag");
  assert.equal(settings.output, "variable");
  assert.equal(settings.key, "file");
  assert.equal(settings.targets, "targets");
  assert.equal(settings.memoryCeiling, 50 * 2 ** 30);
  assert.equal(settings.replace, false);
});

test("texts become what they say: sizes, counts, lists, true and false", () => {
  const flags = {
    memoryCeiling: "15GB",
    memoryWarn: "auto",
    diskFree: 2_097_152,
    rowGroupRows: "5000",
    expectTables: "668",
    pairs: "audusd,eur_usd-2",
    requireMarker: "false",
    logEvery: "7",
  };
  const settings = resolveSettings({ flags, environment: {} });
  assert.deepEqual(
    [settings.memoryCeiling, settings.memoryWarn, settings.diskFree, settings.rowGroupRows, settings.expectTables],
    [15e9, "auto", 2_097_152, 5000, 668],
  );
  assert.deepEqual([settings.pairs, settings.requireMarker, settings.logEvery], [["audusd", "eur_usd-2"], false, 7]);
  assert.equal(resolveSettings({ flags: { expectTables: "tables.txt" }, environment: {} }).expectTables, "tables.txt");
});

test("settings of a run", () => {
  const flags = { memoryCeilings: "60GiB,70GiB", maxCost: "2.50", retries: "0", parallelism: "4", run: "2026-11-21-a" };
  const { memoryCeilings, maxCost, retries, parallelism, run } = resolveSettings({ flags, environment: {} });
  assert.deepEqual(memoryCeilings, [60 * 2 ** 30, 70 * 2 ** 30]);
  assert.deepEqual([maxCost, retries, parallelism, run], [2.5, 0, 4, "2026-11-21-a"]);
});

test("every setting has a flag and a variable", () => {
  assert.equal(flagOf("memoryCeiling"), "--memory-ceiling");
  assert.equal(variableOf("memoryCeiling"), "WIDEMERGE_MEMORY_CEILING");
  assert.equal(new Set(settingNames.map(variableOf)).size, settingNames.length);
});

test("all problems come at once, each with name, what was given, and what is allowed", () => {
  const file = yaml("memory_ceiling: 50GiB\nverify: everything\npairs: [audusd, ../x]\n");
  const environment = { WIDEMERGE_DUPLICATES: "middle", WIDEMERGE_INPTU: "x", WIDEMERGE_CONFIG: file };
  const flags = { rowGroupRows: "0", memoryFree: "lots", logEvery: 1.5 };
  const found = problemsOf({ flags, environment, file });
  const expected = [
    "unknown variable WIDEMERGE_INPTU: found x; did you mean WIDEMERGE_INPUT?",
    `pairs in ${file} is not allowed: found ["audusd","../x"]; allowed: pair names of letters, digits, _ and -, at most 63, such as audusd`,
    '--memory-free is not allowed: found "lots"; allowed: a size such as 2GiB (2 × 2^30 bytes), 2GB or 2G (2 × 10^9 bytes); without a unit, bytes, from 1048576 (1 MiB) on',
    'WIDEMERGE_DUPLICATES is not allowed: found "middle"; allowed: error, first or last',
    '--row-group-rows is not allowed: found "0"; allowed: auto, or a whole number of at least 1',
    `verify in ${file} is not allowed: found "everything"; allowed: structure, sample or full`,
    "--log-every is not allowed: found 1.5; allowed: a whole number of at least 1",
    `unknown setting memory_ceiling in ${file}: did you mean memoryCeiling?`,
  ];
  assert.deepEqual([...found].sort(), expected.sort());
});

test("every unknown key of the file is a problem, in the order of the file", () => {
  const file = yaml("memorycieling: 2GiB\nzebra: 1\nkeys: ts\nwalrus: 2\ndeadlne: 5\n");
  const found = problemsOf({ file, environment: { WIDEMERGE_QQQQQQ: "1" } });
  assert.deepEqual(found, [
    "unknown variable WIDEMERGE_QQQQQQ: found 1; see `widemerge merge --help` for the names",
    `unknown setting memorycieling in ${file}: did you mean memoryCeiling?`,
    `unknown setting zebra in ${file}: known are ${settingNames.join(", ")}`,
    `unknown setting keys in ${file}: did you mean key?`,
    `unknown setting walrus in ${file}: the known ones are listed above`,
    `unknown setting deadlne in ${file}: did you mean deadline?`,
  ]);
});

test("bad YAML: every error with its line, and the other problems all the same", () => {
  const file = yaml("input: a\noutput: [b\nkey: c\nkey: d\n");
  const found = problemsOf({ file, flags: { naming: "x" } });
  assert.match(
    found[0] ?? "",
    /^the configuration file .* is not valid YAML in line \d, column \d+: found .+; correct/,
  );
  assert.match(found.at(-1) ?? "", /^--naming is not allowed/);
  const twice = yaml("key: c\nkey: d\n");
  assert.deepEqual(problemsOf({ file: twice }), [
    `the configuration file ${twice} is not valid YAML in line 2, column 1: found Map keys must be unique; correct this line: each setting is a line \`name: value\``,
  ]);
});

const refused: [string, Record<string, unknown>, RegExp][] = [
  ["an empty folder", { input: "" }, /--input is not allowed: found ""; allowed: a text that is not empty/],
  ["a number for a folder", { output: 5 }, /--output is not allowed: found 5/],
  ["a negative size", { memoryCeiling: -1 }, /--memory-ceiling is not allowed: found -1; allowed: (auto, or )?a size/],
  [
    "a size without a unit that is too small to be one",
    { memoryCeiling: "4" },
    /found "4"; allowed: .*without a unit, bytes, from/,
  ],
  ["a small number", { diskFree: 1_048_575 }, /--disk-free is not allowed: found 1048575/],
  ["a small number in a list", { memoryCeilings: "50GiB,60" }, /--memory-ceilings is not allowed/],
  ["a size beyond all numbers", { memoryFree: "99999999999TiB" }, /--memory-free is not allowed/],
  ["not a number", { diskFree: Number.NaN }, /--disk-free is not allowed/],
  ["a pair that is a path", { pairs: "a/b" }, /--pairs is not allowed: found "a\/b"; allowed: pair names/],
  ["a pair with a space", { pairs: ["A B"] }, /--pairs is not allowed/],
  ["an empty pair", { pairs: "" }, /--pairs is not allowed/],
  ["a pair of 64 letters", { pairs: "x".repeat(64) }, /--pairs is not allowed/],
  ["yes for true", { replace: "yes" }, /--replace is not allowed: found "yes"; allowed: true or false/],
  ["a run that is a path", { run: "../x" }, /--run is not allowed: found "..\/x"; allowed: a run id/],
  ["a run that begins with -", { run: "-x" }, /--run is not allowed/],
  ["an attempt that is a path", { attempt: "../x" }, /--attempt is not allowed/],
  ["money below nothing", { maxCost: -1 }, /--max-cost is not allowed: found -1; allowed: an amount in US\$/],
  ["sizes that are none", { memoryCeilings: "50GiB,lots" }, /--memory-ceilings is not allowed/],
  ["a fraction of a row", { rowGroupRows: 0.5 }, /--row-group-rows is not allowed/],
];

for (const [name, flags, pattern] of refused)
  test(`${name} is refused`, () => assert.match(problemsOf({ flags }).join("\n"), pattern));

for (const name of ["constructor", "toString", "__proto__"])
  test(`${name} is an unknown setting like any other`, () => {
    const [found] = problemsOf({ file: yaml(`{"${name}": 5}`) });
    assert.match(found ?? "", new RegExp(`^unknown setting ${name} in .*: known are input, `));
  });

const documents: [string, string][] = [
  ["a list", "- a\n- b\n"],
  ["a text", "hello"],
];
for (const [name, text] of documents)
  test(`${name} is no configuration file`, () => {
    const file = yaml(text);
    const [found] = problemsOf({ file });
    assert.ok(found?.startsWith(`the configuration file ${file} cannot be used: found `), found ?? "nothing");
  });

/** What a file says that is no configuration, by what it is. */
const others: Readonly<Record<string, { readonly content: string | Uint8Array; readonly told: RegExp }>> = {
  "a password file": {
    content: "root:$6$s3cret:19000:0:99999:7:::\ndaemon:*s3cret:19000:0:99999:7:::\n",
    told: /unknown setting of \d+ characters/,
  },
  "a file of names and secrets": {
    content: "password: s3cret\ns3cret-s3cret-12345: 1\n",
    told: /unknown setting password/,
  },
  "broken YAML with secrets": { content: "a: [s3cret\nb: 's3cret\n", told: /not valid YAML in line \d+, column \d+/ },
  "an alias that is none": { content: "a: *s3cret\n", told: /aliases cannot be resolved|not valid YAML/ },
  "a tag that is none": { content: "a: !!s3cret x\n%s3cret\n", told: /not valid YAML|unknown setting/ },
  "a binary file": { content: Uint8Array.of(0x73, 0x33, 0, 0xff), told: /it is not text/ },
  "text with a NUL": { content: "input: s3cret\0", told: /it is not text/ },
  "a file of 2 MiB": { content: "s3cret: 1\n".repeat(200_000), told: /larger than 1 MiB/ },
  "80,000 unknown names": {
    content: Array.from({ length: 80_000 }, (_, index) => `s3cret${index}:\n`).join(""),
    told: /; and 79,990 more like this/,
  },
  "80,000 times the same name": { content: "s3cret:\n".repeat(80_000), told: /; and 79,989 more like this/ },
  "aliases that multiply": {
    content: `a: &a [x]\n${Array.from("bcdefghijk", (name, index) => `${name}: &${name} [${`*${"abcdefghij"[index]},`.repeat(9)}]\n`).join("")}`,
    told: /aliases cannot be resolved/,
  },
  "deeply nested lists": { content: "[".repeat(500_000), told: /nested too deeply|not valid YAML/ },
  "deeply nested maps": {
    content: `${"{a: ".repeat(100_000)}1${"}".repeat(100_000)}`,
    told: /nested too deeply|not valid YAML/,
  },
};
for (const [name, { content, told }] of Object.entries(others))
  test(`${name} as a configuration file: told in some lines, without its text`, () => {
    const path = join(folder, `other-${files}.yaml`);
    files += 1;
    writeFileSync(path, content);
    const text = problemsOf({ file: path }).join("\n");
    assert.match(text, told);
    assert.doesNotMatch(text, /s3cret/);
    assert.ok(text.length < 40_000, `${text.length} characters`);
  });

test("a device that never ends is a file that is too large", () => {
  assert.match(problemsOf({ file: "/dev/zero" })[0] ?? "", /larger than 1 MiB/);
});

test("an empty file says nothing; a missing one is a problem", () => {
  assert.equal(resolveSettings({ flags: {}, environment: {}, file: yaml("# nothing\n") }).key, "interval_time");
  assert.match(problemsOf({ file: join(folder, "missing.yaml") })[0] ?? "", /cannot be used: found ENOENT/);
});
