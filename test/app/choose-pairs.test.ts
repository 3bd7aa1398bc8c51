import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import * as v from "valibot";
import { withPairs } from "../../src/app/choose-pairs.ts";
import { withRunSettings } from "../../src/app/run-settings.ts";
import { Settings } from "../../src/config/settings.ts";
import { scratchFolder } from "../support/folder.ts";
import { findGcsAbsence, startGcs } from "../support/gcs.ts";
import { makeRecord } from "../support/run.ts";

interface Place {
  /** The folder that holds what a test puts there, on this machine or in a bucket. */
  readonly root: string;
  /** Settings that reach it. */
  readonly settings: Readonly<Record<string, unknown>>;
  put(path: string, text?: string): Promise<void>;
}

const folder = await scratchFolder("pairs");
let cases = 0;

async function makeLocal(): Promise<Place> {
  cases += 1;
  const root = join(folder, String(cases));
  const put = async (path: string, text = ""): Promise<void> => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  return { root, settings: {}, put };
}

const absence = findGcsAbsence();
const gcs = await startGcs();
after(() => gcs?.stop());

async function makeBucket(): Promise<Place> {
  assert.ok(gcs);
  cases += 1;
  const prefix = `case-${cases}`;
  const put = async (path: string, text = ""): Promise<void> => void (await gcs.objects.put(`${prefix}/${path}`, text));
  return { root: `gs://${gcs.bucket}/${prefix}`, settings: { gcsEndpoint: gcs.endpoint }, put };
}

/** Chooses pairs for `<root>/in` and `<root>/out`. */
async function choose(place: Place, given: Readonly<Record<string, unknown>> = {}) {
  const notices: string[] = [];
  const places = { input: `${place.root}/in`, output: `${place.root}/out` };
  const settings = v.parse(Settings, { ...places, ...place.settings, ...given });
  const stated = new Set([...Object.keys(places), ...Object.keys(given)]);
  const { pairs } = await withPairs(await withRunSettings({ settings, stated }), (text) => notices.push(text));
  return { pairs, notices };
}

async function putCheckpoint({ put }: Place, pair: string): Promise<void> {
  for (const file of ["targets.parquet", "pair_x.parquet", "_COMPLETE"]) await put(`in/${pair}/${file}`);
}

function registerChoice(name: string, makePlace: () => Promise<Place>, skip: string | false = false): void {
  describe(`pairs of a run with folders ${name}`, { skip }, () => {
    test("are those stated, each once, in their order", async () => {
      const place = await makePlace();
      await putCheckpoint(place, "gbpusd");
      assert.deepEqual(await choose(place, { pairs: "eurjpy,audusd,eurjpy" }), {
        pairs: ["eurjpy", "audusd"],
        notices: [],
      });
    });

    test("are otherwise all checkpoints under the input, by name; a notice names the other folders and why", async () => {
      const place = await makePlace();
      for (const pair of ["usdchf", "audusd", "eurjpy"]) await putCheckpoint(place, pair);
      await place.put("in/gbpusd/targets.parquet");
      await place.put("in/nzdusd/_COMPLETE");
      await place.put("in/old copy/targets.parquet");
      await place.put("in/readme.txt");
      assert.deepEqual(await choose(place), {
        pairs: ["audusd", "eurjpy", "usdchf"],
        notices: [
          `not merged, because they are not checkpoints: gbpusd (no _COMPLETE), nzdusd (no targets.parquet), "old copy" (not a valid pair name: --folders 'old copy':old_copy merges it as old_copy)`,
        ],
      });
    });

    test("need no marker where none is required, and the targets table has the name of the settings", async () => {
      const place = await makePlace();
      await place.put("in/gbpusd/labels.parquet");
      await place.put("in/audusd/targets.parquet");
      const { pairs, notices } = await choose(place, { requireMarker: false, targets: "labels" });
      assert.deepEqual(pairs, ["gbpusd"]);
      assert.deepEqual(notices, ["not merged, because they are not checkpoints: audusd (no labels.parquet)"]);
    });

    test("are those of the run that is named, where it exists; a new name says nothing about pairs", async () => {
      const place = await makePlace();
      await putCheckpoint(place, "gbpusd");
      const record = makeRecord(["eurjpy", "audusd"], { run: "first" });
      await place.put("out/runs/first.json", JSON.stringify({ format: 1, run: "first", created: record.created }));
      await place.put("out/runs/first/run.json", JSON.stringify(record));
      assert.deepEqual((await choose(place, { run: "first" })).pairs, ["eurjpy", "audusd"]);
      assert.deepEqual((await choose(place, { run: "last" })).pairs, ["eurjpy", "audusd"]);
      assert.deepEqual((await choose(place, { run: "second" })).pairs, ["gbpusd"]);
      assert.deepEqual((await choose(place)).pairs, ["gbpusd"]);
      assert.deepEqual((await choose(place, { run: "first", pairs: "nzdusd" })).pairs, ["nzdusd"]);
    });

    const fix =
      "set --input to the folder that holds <pair>/targets.parquet and <pair>/_COMPLETE, or name pairs with --pairs or in a profile (--config)";
    test("are refused where there are none, with what was found", async () => {
      const place = await makePlace();
      const refuse = (found: string) => ({ exitCode: 2, message: `no pair to merge: found ${found}; ${fix}` });
      await assert.rejects(choose(place), refuse(`no folder ${place.root}/in`));
      await place.put("in/file");
      await assert.rejects(choose(place), refuse(`no folders in ${place.root}/in`));
      for (let number = 10; number < 22; number += 1) await place.put(`in/p${number}/x.parquet`);
      const named = Array.from({ length: 10 }, (_, index) => `p${index + 10} (no targets.parquet)`).join(", ");
      await assert.rejects(choose(place), refuse(`${named} and 2 more`));
    });

    test("of the last run are refused where there is no run", async () => {
      const place = await makePlace();
      await putCheckpoint(place, "gbpusd");
      await assert.rejects(choose(place, { run: "last" }), { exitCode: 2, message: /^no run yet: / });
    });
  });
}

registerChoice("on this machine", makeLocal);
registerChoice("in a bucket", makeBucket, absence);

test("a link to a checkpoint is a checkpoint", async () => {
  const place = await makeLocal();
  await putCheckpoint(place, "audusd");
  symlinkSync(join(place.root, "in", "audusd"), join(place.root, "in", "linked"));
  symlinkSync(join(place.root, "nowhere"), join(place.root, "in", "broken"));
  assert.deepEqual(await choose(place), { pairs: ["audusd", "linked"], notices: [] });
});
