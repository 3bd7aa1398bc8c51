/** The JSON Schemas in docs/, against what the program prints and writes. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import * as v from "valibot";
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

test("every field of a manifest is in its reference", () => {
  const text = readDocument("docs/manifest.md");
  const { properties } = toJsonSchema(schemas["manifest.schema.json"].schema) as {
    properties: Record<string, { items?: { properties?: object } }>;
  };
  const fields = [...Object.keys(properties), ...Object.keys(properties.inputs?.items?.properties ?? {})];
  for (const field of fields) assert.ok(text.includes(`\`${field}\``), field);
});
