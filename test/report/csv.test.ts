import assert from "node:assert/strict";
import { test } from "node:test";
import { buildReport } from "../../src/report/build.ts";
import { renderCsv } from "../../src/report/csv.ts";
import { donePair, exampleRun, googlePrices, viewOf } from "../support/run-view.ts";
import { attacks, hostileRun } from "./support/hostile.ts";

/** The rows of a CSV text, by RFC 4180. */
function parseCsv(text: string): string[][] {
  const cells = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/g;
  const rows: string[][] = [[]];
  for (const [, cell = "", end] of text.matchAll(cells)) {
    rows.at(-1)?.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

test("one row per pair, each with as many cells as the header", () => {
  const rows = parseCsv(renderCsv(buildReport(exampleRun(), googlePrices)));
  assert.equal(rows.length, 28);
  assert.deepEqual(new Set(rows.map((row) => row.length)), new Set([rows[0]?.length]));
  const audusd = Object.fromEntries(rows[0]?.map((name, index) => [name, rows[4]?.[index]]) ?? []);
  assert.equal(audusd.pair, "audusd");
  assert.equal(audusd.attempts, "2");
  assert.equal(audusd.rows, "100000");
  assert.equal(audusd.billed_usd, "");
  assert.equal(audusd.storage_usd_per_month, "0.192");
  assert.deepEqual([audusd.output, audusd.manifest], ["training_audusd.parquet", "training_audusd.manifest.json"]);
  assert.deepEqual([audusd.tables_partial, audusd.worst_table], ["3", "pair_lag_000"]);
  assert.deepEqual([audusd.worst_table_rows_null_filled, audusd.worst_table_rows_dropped], ["1000", "7"]);
  assert.equal(audusd.price_list, "google-us-central1 2026-11-21");
});

test("texts are unchanged, except those that a spreadsheet would run", () => {
  const rows = parseCsv(renderCsv(buildReport(hostileRun(), googlePrices)));
  const expected = attacks.map((attack) => (/^[=+\-@]/.test(attack) ? `'${attack}` : attack));
  assert.deepEqual(
    rows.slice(1).map((row) => row[1]),
    expected,
  );
});

test("every text that begins like a formula gets an apostrophe", () => {
  for (const name of ["=1", "+1", "-1", "@x", "\tx", "\rx"]) {
    const text = renderCsv(buildReport(viewOf([donePair(name, 0, 1)]), googlePrices));
    assert.equal(parseCsv(text)[1]?.[1], `'${name}`);
  }
});
