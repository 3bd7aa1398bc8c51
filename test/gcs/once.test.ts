/** Two workers on one pair at the same time: one output, one manifest of it, and no scratch. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { type CliRun, problemLines, resultOf } from "../faults/support.ts";
import { type Rule, startProxy } from "../support/faults.ts";
import { findGcsAbsence } from "../support/gcs.ts";
import { manifestName, namesIn, newPrefix, openStand, outputName, readOutput, runWith, type Stand } from "./stand.ts";

const absence = findGcsAbsence();

describe("two workers on one pair", { skip: absence }, () => {
  let stand: Stand;
  before(async () => {
    stand = await openStand({ tables: 8, rows: 1000, misaligned: 0.3 });
  });
  after(() => stand.gcs.stop());

  const mergeTo = (prefix: string, ...flags: readonly string[]): Promise<CliRun> => {
    const args = ["merge", "audusd", "--input", stand.input, "--output", `${stand.root}/${prefix}`, "--json", ...flags];
    return runWith(stand.gcs.endpoint, ...args);
  };

  async function checkOne(prefix: string): Promise<void> {
    const { bytes, manifest } = await readOutput(stand, prefix);
    assert.ok(bytes && manifest);
    assert.deepEqual(await namesIn(stand, prefix), [manifestName, outputName]);
  }

  for (const assembly of ["compose", "stream"])
    for (const replace of [false, true])
      it(`of the same content, ${assembly}${replace ? ", both to replace another" : ""}: both succeed`, async () => {
        const prefix = newPrefix();
        const flags = ["--assembly", assembly, ...(replace ? ["--replace"] : [])];
        if (replace) assert.equal((await mergeTo(prefix, "--row-group-rows", "300")).exitCode, ExitCode.done);
        const ends = await Promise.all([mergeTo(prefix, ...flags), mergeTo(prefix, ...flags)]);
        for (const end of ends) assert.equal(end.exitCode, ExitCode.done, end.stdout);
        await checkOne(prefix);
      });

  for (const assembly of ["compose", "stream"])
    for (const replace of [false, true])
      it(`of other content, ${assembly}${replace ? ", both to replace another" : ""}: one is told`, async () => {
        const prefix = newPrefix();
        const flags = ["--assembly", assembly, ...(replace ? ["--replace"] : [])];
        if (replace) assert.equal((await mergeTo(prefix, "--row-group-rows", "300")).exitCode, ExitCode.done);
        const ends = await Promise.all([
          mergeTo(prefix, ...flags),
          mergeTo(prefix, ...flags, "--row-group-rows", "500"),
        ]);
        const codes = ends.map(({ exitCode }) => exitCode).sort();
        const lost = ends.find(({ exitCode }) => exitCode === ExitCode.input);
        // The one that comes late may find a finished output: replacing it is what it was asked to.
        if (lost === undefined) assert.deepEqual([replace, ...codes], [true, ExitCode.done, ExitCode.done]);
        else {
          assert.deepEqual(codes, [ExitCode.done, ExitCode.input]);
          assert.match(
            problemLines(resultOf(lost)).join(),
            /another output appeared|the output exists, made from|changed during the merge/,
          );
        }
        await checkOne(prefix);
      });

  it("one that is overtaken between its output and its manifest leaves the other's manifest alone", async () => {
    const prefix = newPrefix();
    let overtaken: Promise<CliRun> | undefined;
    let isOver = false;
    // The slow one's manifest stalls, try after try, until another merge has replaced its output.
    const rule: Rule = {
      on: ({ kind, path }) => {
        const hit = kind === "upload" && path.includes("manifest.json") && !isOver;
        if (hit)
          overtaken ??= mergeTo(prefix, "--replace", "--row-group-rows", "500").finally(() => {
            isOver = true;
          });
        return hit;
      },
      fault: { kind: "stall", at: { requestBytes: 0 } },
      times: 1e9,
    };
    const proxy = await startProxy(stand.gcs.endpoint, [rule]);
    const output = ["--output", `${stand.root}/${prefix}`];
    const slow = await runWith(proxy.endpoint, "merge", "audusd", "--input", stand.input, ...output, "--json");
    const fast = await overtaken;
    await proxy.stop();
    assert.ok(fast);
    assert.equal(fast.exitCode, ExitCode.done, fast.stdout);
    await checkOne(prefix);
    assert.equal(slow.exitCode, ExitCode.input, slow.stdout);
  });
});
