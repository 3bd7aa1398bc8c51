/** What the module gives to the Cloud Run jobs is what widemerge takes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { toWorkerEnvironment } from "../../src/app/worker-environment.ts";
import { checkLaunch } from "../../src/backend/cloudrun/check.ts";
import { resolveSettings, variableOf } from "../../src/config/resolve.ts";
import { settingNames } from "../../src/config/settings.ts";
import { makeCloudRunLaunch, makeCloudRunOptions } from "../support/cloudrun-options.ts";
import { readModule, readModuleFile } from "./sources.ts";

const profile = new URL("../../profiles/27-pairs.yaml", import.meta.url).pathname;

/** The variables of the first of Terraform's tests that makes the jobs, as it expects them. */
function readExpected(): Record<string, string> {
  const tests = readModuleFile("tests/cloudrun.tftest.hcl");
  const entries = [...tests.matchAll(/^ {6}(WIDEMERGE_\w+) += "(.*)"$/gm)].map(([, name = "", value = ""]) => [
    name,
    value,
  ]);
  return Object.fromEntries(entries);
}

describe("Cloud Run jobs of the Terraform module", () => {
  it("state variables that there are", () => {
    const known = new Set([...settingNames.map(variableOf), "WIDEMERGE_CONFIG"]);
    const stated = [...new Set(readModule().match(/\bWIDEMERGE_[A-Z_]+/g))];
    assert.ok(stated.length > 5);
    assert.deepEqual(
      stated.filter((name) => !known.has(name)),
      [],
    );
  });

  it("run the 27 pairs under the profile, with nothing that keeps a task from beginning", () => {
    const { WIDEMERGE_CONFIG: config, ...environment } = readExpected();
    assert.equal(config, "/opt/widemerge/profiles/27-pairs.yaml");
    const settings = resolveSettings({ flags: {}, environment, file: profile });
    const { pairs } = resolveSettings({ flags: {}, environment: {}, file: profile });
    assert.deepEqual(settings.pairs, pairs);
    assert.equal(settings.memoryCeiling, 2 * 2 ** 30);
    assert.equal(settings.backend, "cloudrun");
    const options = makeCloudRunOptions(settings);
    assert.deepEqual(checkLaunch(makeCloudRunLaunch(), options, toWorkerEnvironment(settings)), []);
  });

  it("have a controller that may send the backend's requests, and no others", () => {
    const permission = /"(run\.\w+\.\w+)"/g;
    const client = readFileSync(new URL("../../src/backend/cloudrun/client.ts", import.meta.url), "utf8");
    const used = [...client.matchAll(permission)].map(([, name]) => name);
    const granted = [...readModuleFile("identities.tf").matchAll(permission)].map(([, name]) => name);
    // The library asks itself how far an operation is.
    assert.deepEqual(granted.sort(), [...new Set([...used, "run.operations.get"])].sort());
  });
});
