/** Damage in a source: reported as that, with the exit code of inputs, and not as a wrong output. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ExitCode } from "../../../src/model/exit-code.ts";
import type { Manifest } from "../../../src/model/result.ts";
import { chunkPlace, overwrite, pageBody } from "../../faults/support.ts";
import { crc32c } from "../../support/crc32c.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, mergeHere, verifyHere } from "../../support/in-process.ts";
import { type StoredColumn, stored, writeStored } from "../../support/parquet-file.ts";

const root = await scratchFolder("damage");
const rows = Array.from({ length: 50 }, (_, row) => row);
const column = (name: string, codec = 1): StoredColumn => ({ name, type: 2, codec, values: rows.map(stored.int64) });

/** A checkpoint whose table `a` is spliced; `spoil` damages its file. */
function writePair(spoil: (path: string) => void): { input: string; output: string } {
  const place = mkdtempSync(join(root, "case-"));
  const folder = join(place, "in", "pair");
  mkdirSync(folder, { recursive: true });
  writeStored(join(folder, "targets.parquet"), [column("interval_time")]);
  writeStored(join(folder, "a.parquet"), [column("interval_time"), column("x"), column("y")]);
  spoil(join(folder, "a.parquet"));
  writeFileSync(join(folder, "_COMPLETE"), "");
  return { input: join(place, "in"), output: join(place, "out") };
}

/** Breaks the compressed block of a column, behind its length. */
const breakPage = (path: string) => overwrite(path, pageBody(path, 1) + 2, Buffer.alloc(30, 0xff));

test("a page that cannot be decoded is damage in the source: of the merge, and of a later verification", async () => {
  const written = writePair(breakPage);
  const refused = await failureOf(mergeHere({ ...written, verify: "full" }));
  assert.equal(refused.exitCode, ExitCode.input);
  assert.match(
    refused.message,
    /^a: damaged or unreadable: found column x cannot be decoded: page 0: .*; extract this table again$/,
  );
  await mergeHere({ ...written, verify: "structure" });
  const failure = await failureOf(verifyHere({ ...written }, "pair", "full"));
  assert.equal(failure.exitCode, ExitCode.input);
  assert.equal(failure.message, refused.message);
});

test("an output that is wrong as well is reported with the damage, as a wrong output", async () => {
  const written = writePair(breakPage);
  const merged = await mergeHere({ ...written, verify: "structure" });
  const bytes = readFileSync(merged.output);
  const { start, size } = chunkPlace(merged.output, 2);
  bytes[start + size - 1] = (bytes[start + size - 1] ?? 0) ^ 1;
  writeFileSync(merged.output, bytes);
  const manifest: Manifest = JSON.parse(readFileSync(merged.manifest, "utf8"));
  const output = { ...manifest.output, crc32c: crc32c(bytes) };
  writeFileSync(merged.manifest, JSON.stringify({ ...manifest, output }));
  const { problems } = await verifyHere({ ...written }, "pair", "full");
  assert.deepEqual(
    problems.map(({ what, found }) => [what, found?.replace(/: page 0.*/, "")]),
    [
      ["the output differs from its source", "column a_y: 1 value differs from the source"],
      ["damaged or unreadable", "column x cannot be decoded"],
    ],
  );
});

test("an encoding or codec that this program does not know is spliced and verified by its bytes", async () => {
  // LZO; the bytes are not compressed at all, which nobody here can tell.
  const written = writePair((path) => writeStored(path, [column("interval_time"), column("x", 3)]));
  const { output } = await mergeHere({ ...written, verify: "full" });
  const bytes = readFileSync(output);
  const { start, size } = chunkPlace(output, 1);
  bytes[start + size - 1] = (bytes[start + size - 1] ?? 0) ^ 1;
  writeFileSync(output, bytes);
  const { problems } = await verifyHere({ ...written }, "pair", "full");
  assert.equal(problems[0]?.found, "column a_x: other pages, whose values cannot be compared (codec 3)");
});
