/**
 * A power cut at any moment of a publication. strace records the calls of a real merge; they are replayed up to every moment, with
 * whatever was not flushed there or not, in every combination. Each state is old or new, never partial, and a rerun finishes it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type DiskState, replayPowerCuts, traced, writeState } from "../support/disk-trace.ts";
import { failureOf, mergeHere, type SomeSettings, verifyHere } from "../support/in-process.ts";
import { makeShape } from "./shapes.ts";
import { checkRerunHere, checkState } from "./strike.ts";
import { finishedNames, makeFolder } from "./support.ts";

const program = fileURLToPath(new URL("../support/merge-once.ts", import.meta.url));

function findAbsence(): string | false {
  const { status } = spawnSync("strace", ["-f", "-o", "/dev/null", "true"]);
  return status === 0 ? false : "strace cannot trace here: install it (apt-get install strace), and allow ptrace";
}

/** The calls of a merge with these settings. */
function trace(settings: SomeSettings, file: string): string {
  const strace = ["-f", "-xx", "-s", "100000000", "-e", `trace=${traced}`, "-e", "signal=none", "-o", file];
  const run = spawnSync("strace", [...strace, process.execPath, "--no-warnings", program, JSON.stringify(settings)], {
    encoding: "utf8",
  });
  assert.equal(run.status, 0, run.stderr);
  return readFileSync(file, "latin1");
}

function readState(root: string): DiskState {
  const names = readdirSync(join(root, "out"));
  return new Map([
    ["out/", Buffer.alloc(0)],
    ...names.map((name) => [`out/${name}`, readFileSync(join(root, "out", name))] as const),
  ]);
}

describe("a power cut", { skip: findAbsence() }, () => {
  const input = makeFolder({ after });
  const made = makeFolder({ after });
  const read = (name: string) => readFileSync(join(made, name, "training_audusd.parquet"));
  let [old, whole]: Buffer[] = [];
  before(async () => {
    await makeShape(input, { rows: 300, tables: 4, columns: 2, misaligned: 0.5 });
    await mergeHere({ input, output: join(made, "old"), rowGroupRows: 100 }, "audusd");
    await mergeHere({ input, output: join(made, "new") }, "audusd");
    [old, whole] = [read("old"), read("new")];
  });

  /** Every state that a cut may leave is whole, and both `verify` and a rerun do the right thing with it. */
  async function checkStates(
    context: { after(remove: () => void): void; diagnostic(text: string): void },
    settings: SomeSettings,
    root: string,
    wholes: readonly Buffer[],
    initial: DiskState,
  ): Promise<void> {
    const calls = trace({ input, output: join(root, "out"), ...settings }, join(made, "trace"));
    const { states, last, moments } = replayPowerCuts(calls, root, initial);
    const seen = new Set<string>();
    for (const state of states) {
      const place = makeFolder(context);
      writeState(place, state);
      const output = join(place, "out");
      const names = checkState(output, wholes);
      seen.add(names.join(" "));
      if (names.length === 2) assert.deepEqual((await verifyHere({ input, output }, "audusd", "full")).problems, []);
      if (names.length === 0) assert.equal((await failureOf(verifyHere({ output }, "audusd", "full"))).exitCode, 3);
      await checkRerunHere({ input, ...settings }, output, whole ?? Buffer.alloc(0));
    }
    for (const state of last) {
      const place = makeFolder(context);
      writeState(place, state);
      assert.deepEqual(
        checkState(join(place, "out"), [whole ?? Buffer.alloc(0)]),
        finishedNames,
        "what was done is lost",
      );
    }
    const [output = "", manifest = ""] = finishedNames.toReversed();
    assert.ok(seen.has(output) && seen.has(`${manifest} ${output}`), "the replay shows too little");
    context.diagnostic(`${states.length} states at ${moments} moments`);
  }

  it("during a first merge", async (context) => {
    const root = realpathSync(makeFolder(context));
    await checkStates(context, {}, root, [whole ?? Buffer.alloc(0)], new Map());
  });

  it("while an output is replaced", async (context) => {
    const root = realpathSync(makeFolder(context));
    mkdirSync(join(root, "out"));
    cpSync(join(made, "old"), join(root, "out"), { recursive: true });
    await checkStates(
      context,
      { replace: true },
      root,
      [old, whole].flatMap((bytes) => bytes ?? []),
      readState(root),
    );
  });
});
