import assert from "node:assert/strict";
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runTask } from "../../../src/merge/run.ts";
import { ExitCode } from "../../../src/model/exit-code.ts";
import { describeProblem, Failure } from "../../../src/model/failure.ts";
import { localStore } from "../../../src/store/local/store.ts";
import type { StagedOutput, Store } from "../../../src/store/store.ts";
import { makeShape } from "../../faults/shapes.ts";
import { checkManifest, finishedNames, listOutput, makeFolder } from "../../faults/support.ts";
import {
  failureOf,
  limits,
  makeContext,
  makeSettings,
  mergeHere,
  type SomeSettings,
  TestPort,
} from "../../support/in-process.ts";

/** The local store with some of its stage's steps replaced. */
function changeStage(change: (staged: StagedOutput, path: string) => Partial<StagedOutput>): Store {
  return {
    ...localStore,
    stage: async (path) => {
      const staged = await localStore.stage(path);
      const own: StagedOutput = {
        get position() {
          return staged.position;
        },
        shared: staged.shared,
        write: (bytes) => staged.write(bytes),
        link: (file) => staged.link(file),
        finish: () => staged.finish(),
        open: () => staged.open(),
        publish: (over) => staged.publish(over),
        discard: () => staged.discard(),
      };
      return Object.defineProperties(own, Object.getOwnPropertyDescriptors(change(staged, path)));
    },
  };
}

async function mergeWith(store: Store, given: SomeSettings): Promise<unknown> {
  const settings = makeSettings(given);
  const task = { command: "merge", pair: "audusd", settings, limits } as const;
  return runTask(task, makeContext(new TestPort(), store));
}

describe("publishing", () => {
  const input = makeFolder({ after });
  before(() => makeShape(input, { rows: 200, tables: 3, columns: 2, misaligned: 0.4 }));

  it("writes the manifest last and removes the old one first", async (context) => {
    const output = join(makeFolder(context), "out");
    const [manifest = "", file = ""] = finishedNames.map((name) => join(output, name));
    await mergeHere({ input, output, rowGroupRows: 70 }, "audusd");
    const seen: string[] = [];
    const stages = changeStage((staged) => ({
      publish: async (over) => {
        seen.push(`publish ${existsSync(file)} ${existsSync(manifest)}`);
        await staged.publish(over);
      },
    }));
    const store: Store = {
      ...stages,
      writeTextIf: async (path, text, expected) => {
        seen.push(`manifest ${existsSync(file)} ${existsSync(manifest)}`);
        return localStore.writeTextIf(path, text, expected);
      },
    };
    await mergeWith(store, { input, output, replace: true });
    assert.deepEqual(seen, ["publish true false", "manifest true false"]);
    checkManifest(output);
  });

  it("does not overwrite a file that appeared meanwhile", async (context) => {
    const output = join(makeFolder(context), "out");
    const store = changeStage((staged, path) => ({
      publish: (over) => {
        writeFileSync(path, "another's");
        return staged.publish(over);
      },
    }));
    const failure = await failureOf(mergeWith(store, { input, output }));
    assert.equal(failure.exitCode, ExitCode.input);
    assert.match(failure.message, /another output appeared.*--replace/);
    assert.deepEqual(listOutput(output), ["training_audusd.parquet"]);
  });

  for (const [level, at] of [
    ["structure", 4],
    ["full", 200],
  ] as const)
    it(`publishes nothing when ${level} verification fails`, async (context) => {
      const output = join(makeFolder(context), "out");
      const store = changeStage((staged) => ({
        write: (bytes) => {
          const copy = Buffer.from(bytes);
          const byte = at - staged.position;
          if (byte >= 0 && byte < copy.length) copy.fill(0xff, byte, byte + 8);
          return staged.write(copy);
        },
      }));
      const failure = await failureOf(mergeWith(store, { input, output, verify: level }));
      assert.equal(failure.exitCode, ExitCode.verification, failure.problems.map(describeProblem).join("\n"));
      assert.deepEqual(listOutput(output), []);
    });

  it("leaves its manifest if the store is out of reach right after it was written, and the next merge finds it done", async (context) => {
    const output = join(makeFolder(context), "out");
    const manifest = join(output, "training_audusd.manifest.json");
    const lost = new Failure(ExitCode.transient, [{ what: "the store is out of reach", fix: "wait" }]);
    const store: Store = {
      ...localStore,
      stat: async (path) => {
        if (existsSync(manifest) && path.endsWith(".parquet")) throw lost;
        return localStore.stat(path);
      },
    };
    assert.equal(await failureOf(mergeWith(store, { input, output })), lost);
    assert.ok(existsSync(manifest));
    assert.equal((await mergeHere({ input, output }, "audusd")).outcome, "already done");
  });

  it("does not begin once the merge was told to stop", async (context) => {
    const output = join(makeFolder(context), "out");
    const reason = new Error("stop");
    const port = new TestPort((event, own) => event.type === "stage" && event.stage === "verify" && own.stop(reason));
    await assert.rejects(mergeHere({ input, output }, "audusd", port), reason);
    assert.deepEqual(listOutput(output), []);
  });

  it("fails in words when a table changes or vanishes during the merge", async (context) => {
    const [copy, output] = [makeFolder(context), join(makeFolder(context), "out")];
    await makeShape(copy, { rows: 200, tables: 3, columns: 2 });
    const port = new TestPort((event) => {
      if (event.type === "stage" && event.stage === "merge")
        copyFileSync(join(copy, "audusd", "t0001.parquet"), join(copy, "audusd", "t0002.parquet"));
    });
    const failure = await failureOf(mergeHere({ input: copy, output }, "audusd", port));
    assert.equal(failure.exitCode, ExitCode.input);
    assert.match(failure.message, /t0002\.parquet.*changed during the merge.*wait until the extraction has finished/);
    assert.deepEqual(listOutput(output), []);
  });
});
