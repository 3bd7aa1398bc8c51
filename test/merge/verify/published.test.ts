import assert from "node:assert/strict";
import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { ExitCode } from "../../../src/model/exit-code.ts";
import { describeProblem } from "../../../src/model/failure.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, mergeHere, verifyHere } from "../../support/in-process.ts";
import { keyed, upTo, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("published");
const tables = {
  targets: keyed(upTo(4), { y: ["Int64", upTo(4)] }).rename({ interval_time: "minute" }),
  a_pair: keyed(["4", "2", "2", "9"], { x: ["Int64", upTo(4)] }).rename({ interval_time: "minute" }),
  b: keyed(upTo(4), { z: ["Int64", upTo(4)] }).rename({ interval_time: "minute" }),
};

/** An output made with settings that are not the defaults. */
async function mergeOne() {
  const written = writeTables(root, tables);
  const merge = { key: "minute", duplicates: "last", naming: "keep" };
  const { output: file, manifest } = await mergeHere({ ...written, ...merge });
  return { ...written, file, manifest, checkpoint: join(written.input, "pair") };
}

const messages = async (work: Promise<unknown>) => (await failureOf(work)).problems.map(describeProblem);

test("a file is verified with the manifest beside it: no setting of the merge has to be repeated", async () => {
  const { file } = await mergeOne();
  const { target, columns, columnsCompared, problems } = await verifyHere({}, file, "full");
  assert.deepEqual(
    { target, columns, columnsCompared, problems },
    { target: file, columns: 4, columnsCompared: 4, problems: [] },
  );
  assert.equal((await verifyHere({}, file, "sample")).columnsCompared, 4);
});

test("the paths in a manifest are the same from every working directory", async () => {
  const written = writeTables(root, tables);
  const here = relative(process.cwd(), dirname(written.input));
  const paths = { input: join(here, "in"), output: join(here, "out") };
  const { manifest } = await mergeHere({ ...paths, key: "minute", duplicates: "last" });
  const { inputs, verification } = JSON.parse(readFileSync(manifest, "utf8"));
  assert.deepEqual(
    inputs.map(({ path }: { path: string }) => path),
    ["targets", "a_pair", "b"].map((name) => join(written.input, "pair", `${name}.parquet`)),
  );
  assert.equal(verification.target, join(written.output, "training_pair.parquet"));
});

test("a wrong value is found, and the table is named", async () => {
  const { file, manifest } = await mergeOne();
  const other = writeTables(root, {
    ...tables,
    b: keyed(upTo(4), { z: ["Int64", ["1", "2", "3", "5"]] }).rename({ interval_time: "minute" }),
  });
  const wrong = await mergeHere({ ...other, key: "minute", duplicates: "last", naming: "keep" });
  copyFileSync(wrong.output, file);
  const document = JSON.parse(readFileSync(manifest, "utf8"));
  writeFileSync(
    manifest,
    JSON.stringify({ ...document, output: JSON.parse(readFileSync(wrong.manifest, "utf8")).output }),
  );
  const { problems } = await verifyHere({}, file, "full");
  assert.deepEqual(problems.map(describeProblem), [
    "b: the output differs from its source: found column z: 1 value differs from the source; merge the pair again with --replace; if that does not help, extract the table again",
  ]);
});

test("sources that moved are found under --input", async () => {
  const { input, file } = await mergeOne();
  const moved = `${input}-moved`;
  renameSync(input, moved);
  assert.equal((await verifyHere({ input: moved }, file, "full")).columnsCompared, 4);
});

test("--input goes before the paths of the manifest", async () => {
  const { input, checkpoint, file } = await mergeOne();
  const copy = `${input}-copy`;
  cpSync(input, copy, { recursive: true });
  keyed(["1"]).writeParquet(join(checkpoint, "b.parquet"));
  assert.equal((await verifyHere({ input: copy }, file, "full")).columnsCompared, 4);
  rmSync(join(copy, "pair", "b.parquet"));
  assert.deepEqual(await messages(verifyHere({ input: copy }, file, "full")), [
    `b: the source is missing: no file ${join(copy, "pair", "b.parquet")}: name the folder of the checkpoints with --input, or use --level structure`,
  ]);
});

test("a source that was only touched is the same source", async () => {
  const { checkpoint, file } = await mergeOne();
  utimesSync(join(checkpoint, "b.parquet"), new Date(0), new Date(0));
  assert.equal((await verifyHere({}, file, "full")).columnsCompared, 4);
});

test("every source that is missing or has changed is reported", async () => {
  const { checkpoint, file } = await mergeOne();
  const [missing, shorter, other] = ["targets", "a_pair", "b"].map((name) => join(checkpoint, `${name}.parquet`));
  assert.ok(missing && shorter && other);
  rmSync(missing);
  const size = readFileSync(shorter).length;
  writeFileSync(shorter, "short");
  const bytes = readFileSync(other);
  bytes[10] = (bytes[10] ?? 0) ^ 1;
  writeFileSync(other, bytes);
  const found = await messages(verifyHere({}, file, "full"));
  assert.deepEqual(
    found.sort().map((message) => message.replace(/[0-9a-f]{8}/g, "<crc>")),
    [
      `a_pair: the source changed since the merge: ${shorter}: found 5 bytes, the manifest says ${size}; name the folder of the original checkpoints with --input, or merge the pair again`,
      `b: the source changed since the merge: ${other}: found CRC32C <crc>, the manifest says <crc>; name the folder of the original checkpoints with --input, or merge the pair again`,
      `targets: the source is missing: no file ${missing} or ${join("checkpoints", "pair", "targets.parquet")}: name the folder of the checkpoints with --input, or use --level structure`,
    ],
  );
  assert.deepEqual((await verifyHere({}, file, "structure")).problems, [], "the structure needs no source");
});

test("a file without a manifest is checked for its structure alone", async () => {
  const { checkpoint } = await mergeOne();
  const foreign = join(checkpoint, "a_pair.parquet");
  assert.deepEqual((await verifyHere({}, foreign, "structure")).problems, []);
  for (const level of ["sample", "full"] as const) {
    const failure = await failureOf(verifyHere({}, foreign, level));
    assert.equal(failure.exitCode, ExitCode.input);
    assert.equal(
      failure.message,
      `${foreign} has no manifest that this version can read, so its sources are unknown: put its manifest beside it in ${join(checkpoint, "a_pair.manifest.json")}, or use --level structure`,
    );
  }
  const bare = join(dirname(foreign), "bare");
  copyFileSync(foreign, bare);
  assert.match((await failureOf(verifyHere({}, bare, "full"))).message, /put its manifest beside it, or use/);
});

test("a manifest that leads out of the folder of checkpoints is no manifest", async () => {
  const { file, manifest } = await mergeOne();
  const document = JSON.parse(readFileSync(manifest, "utf8"));
  for (const spoil of [
    { inputs: [{ ...document.inputs[0], table: "../../secret" }] },
    { pair: "../pair" },
    { inputs: [] },
    { settings: { ...document.settings, key: 7 } },
    { output: { ...document.output, crc32c: "none" } },
  ]) {
    writeFileSync(manifest, JSON.stringify({ ...document, ...spoil }));
    assert.match((await failureOf(verifyHere({}, file, "full"))).message, /no manifest that this version can read/);
  }
});

test("a manifest of another output is told apart on every level", async () => {
  const { file, manifest, checkpoint } = await mergeOne();
  const foreign = join(checkpoint, "b.parquet");
  copyFileSync(manifest, join(checkpoint, "b.manifest.json"));
  const [first] = (await verifyHere({}, foreign, "structure")).problems.filter(({ what }) => what.includes("manifest"));
  assert.ok(first);
  assert.match(
    describeProblem(first),
    /^the output is not the file that its manifest describes: found \d+ bytes, the manifest says \d+; merge the pair again with --replace$/,
  );
  const bytes = readFileSync(file);
  bytes[bytes.length - 9] = (bytes.at(-9) ?? 0) ^ 1;
  const copy = join(root, "altered");
  mkdirSync(copy, { recursive: true });
  writeFileSync(join(copy, "training_pair.parquet"), bytes);
  copyFileSync(manifest, join(copy, "training_pair.manifest.json"));
  const { problems } = await verifyHere({}, join(copy, "training_pair.parquet"), "full");
  assert.match(
    problems.map(describeProblem).join("\n"),
    /manifest describes: found CRC32C [0-9a-f]{8}, the manifest says/,
  );
});

test("a file that is not there is refused by name", async () => {
  const failure = await failureOf(verifyHere({ output: root }, "nobody", "structure"));
  assert.equal(
    failure.message,
    `nothing to verify: no file ${join(root, "training_nobody.parquet")}: check --output and the name`,
  );
});
