/** The JSON Schemas in docs/, against what the program prints and writes. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import * as v from "valibot";
import { Report } from "../../src/model/report.ts";
import { makeSample, runCli } from "../faults/support.ts";
import { toJsonSchema } from "../report/support/json-schema.ts";
import { scratchFolder } from "../support/folder.ts";
import { readDocument } from "./blocks.ts";
import { schemas } from "./schemas.ts";

const folder = await scratchFolder("schemas");
const [input, output] = [join(folder, "in"), join(folder, "out")];
const places = ["--input", input, "--output", output];

/** The document that a command prints. */
async function print(...args: string[]): Promise<unknown> {
  return JSON.parse((await runCli([...args, ...places, "--json"])).stdout);
}

before(async () => {
  await makeSample(input, { tables: 5, rows: 80, misaligned: 0.4 });
  writeFileSync(join(input, "audusd", "notes.csv"), "");
});

for (const [name, { title, schema }] of Object.entries(schemas))
  test(`docs/${name} is the schema of the program (WIDEMERGE_WRITE_SCHEMA=1 writes it)`, () => {
    const head = { $schema: "https://json-schema.org/draft/2020-12/schema", title };
    const expected = { ...head, ...toJsonSchema(schema) };
    if (process.env.WIDEMERGE_WRITE_SCHEMA === "1")
      writeFileSync(`docs/${name}`, `${JSON.stringify(expected, undefined, 2)}\n`);
    assert.deepEqual(JSON.parse(readDocument(`docs/${name}`)), expected);
  });

test("what plan, merge and verify print, and the manifest, have these schemas", async () => {
  v.parse(schemas["plan.schema.json"].schema, await print("plan", "audusd", "missing"));
  const refused = await print("merge", "missing");
  const merged = await print("merge", "audusd");
  const again = await print("merge", "audusd");
  for (const result of [refused, merged, again]) v.parse(schemas["merge.schema.json"].schema, result);
  v.parse(schemas["verify.schema.json"].schema, await print("verify", "audusd", "--level", "full"));
  const manifest: unknown = JSON.parse(readFileSync(join(output, "training_audusd.manifest.json"), "utf8"));
  const { ignored } = v.parse(schemas["manifest.schema.json"].schema, manifest);
  assert.deepEqual(ignored, ["notes.csv"]);
});

test("what run-all, its dry run, status, report and sample print have these schemas", async () => {
  const [runAll, dryRun] = [schemas["run-all.schema.json"].schema, schemas["dry-run.schema.json"].schema];
  const out = join(folder, "run");
  const start = ["run-all", "--input", input, "--output", out, "--memory-ceiling", "1GiB", "--json"];
  const printed = async (...args: string[]): Promise<unknown> => JSON.parse((await runCli(args)).stdout);
  const forecasts = [await printed(...start, "--pairs", "audusd,missing", "--dry-run")];
  const report = v.parse(runAll, await printed(...start, "--pairs", "audusd,missing"));
  forecasts.push(await printed(...start, "--pairs", "audusd", "--dry-run"));
  const [before, after] = forecasts.map((forecast) => v.parse(dryRun, forecast).pairs[0]);
  assert.deepEqual([before?.verdict, before?.plan?.pair, after?.verdict], ["to do", "audusd", "done"]);
  assert.deepEqual([report.exitCode, report.settings.key], [3, "interval_time"]);
  assert.ok((report.pairs[0]?.output?.partialTables.length ?? 0) > 0);
  assert.deepEqual(after?.output?.partialTables, report.pairs[0]?.output?.partialTables);
  for (const command of ["status", "report"]) v.parse(Report, await printed(command, "--output", out, "--json"));
  const sample = [
    "sample",
    "--out",
    join(folder, "sample"),
    "--pairs",
    "audusd",
    "--tables",
    "5",
    "--rows",
    "80",
    "--json",
  ];
  for (const written of [true, false]) {
    const { pairs } = v.parse(schemas["sample.schema.json"].schema, await printed(...sample));
    assert.deepEqual(
      pairs.map((pair) => pair.written),
      [written],
    );
  }
});

test("every field of a manifest is in its reference", () => {
  const text = readDocument("docs/manifest.md");
  const { properties } = toJsonSchema(schemas["manifest.schema.json"].schema) as {
    properties: Record<string, { items?: { properties?: object } }>;
  };
  const fields = [...Object.keys(properties), ...Object.keys(properties.inputs?.items?.properties ?? {})];
  for (const field of fields) assert.ok(text.includes(`\`${field}\``), field);
});
