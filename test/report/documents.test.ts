import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import * as v from "valibot";
import { PairCost } from "../../src/model/cost.ts";
import { Report } from "../../src/model/report.ts";
import { buildReport } from "../../src/report/build.ts";
import { renderDocuments } from "../../src/report/documents.ts";
import { donePair, exampleRun, googlePrices, viewOf } from "../support/run-view.ts";
import { hostileRun } from "./support/hostile.ts";
import { toJsonSchema } from "./support/json-schema.ts";

const path = "docs/report.schema.json";

test("the published schema is that of the program (WIDEMERGE_WRITE_SCHEMA=1 writes it)", () => {
  const head = { $schema: "https://json-schema.org/draft/2020-12/schema", title: "widemerge report.json" };
  const schema = { ...head, ...toJsonSchema(Report) };
  if (process.env.WIDEMERGE_WRITE_SCHEMA === "1") writeFileSync(path, `${JSON.stringify(schema, undefined, 2)}\n`);
  assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), schema);
});

test("in the published schema, an unknown bill is null, and an unknown price is left out", () => {
  const { pairs } = JSON.parse(readFileSync(path, "utf8")).properties;
  const attempt = pairs.items.properties.cost.properties.attempts.items;
  assert.deepEqual(attempt.properties.billed.anyOf, [{ type: "number" }, { type: "null" }]);
  assert.ok(attempt.required.includes("billed"));
  const line = attempt.properties.lines.items;
  assert.equal(line.properties.usd.type, "number");
  assert.deepEqual(line.required, ["item", "what", "quantity", "unit"]);
});

test("the documents of all kinds of runs conform to the schemas and can be read back unchanged", () => {
  const runs = [
    exampleRun(),
    hostileRun(),
    viewOf([]),
    viewOf([donePair("audusd", 0, 60)], { backend: "local", input: "checkpoints", output: "training" }),
  ];
  for (const run of runs) {
    const report = buildReport(run, googlePrices);
    const documents = renderDocuments(run, googlePrices);
    const read = (name: string): unknown => JSON.parse(documents.get(name) ?? "");
    assert.deepEqual(v.parse(Report, read("report.json")), report);
    for (const { pair, cost } of report.pairs) assert.deepEqual(v.parse(PairCost, read(`costs/${pair}.json`)), cost);
    assert.equal(documents.size, 3 + report.pairs.length);
  }
});

test("a document with a missing, unknown or wrong entry is refused", () => {
  const report = buildReport(exampleRun(), googlePrices);
  const { totals: _, ...fewer } = report;
  for (const wrong of [fewer, { ...report, extra: 1 }, { ...report, backend: "lambda" }, { ...report, format: 2 }]) {
    assert.equal(v.safeParse(Report, wrong).success, false);
  }
});
