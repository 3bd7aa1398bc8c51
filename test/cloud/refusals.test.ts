/** What the scripts refuse before anything is made: wrong values, missing tools and credentials, nobody to ask. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Stage } from "./support.ts";

const bare = new Stage();
const stage = new Stage();
stage.install();
const scripts = ["deploy", "run-all", "status", "report", "destroy"];

describe("values that are not what they should be", () => {
  const wrong = {
    PROJECT: `x; touch ${join(stage.folder, "reached")}`,
    REGION: "$(id)",
    BACKENDS: "kubernetes,gke",
    BACKEND: "vm",
    PAIRS: "audusd,../gbpusd",
    RUN: "A Run",
    CEILING: "much",
    INPUT: "--help",
    OUTPUT: "a\nb",
    SPOT: "yes",
  };

  for (const script of scripts)
    test(`${script} refuses them all at once, before any command`, () => {
      const { code, stdout, stderr } = stage.run(script, { ...wrong, YES: "1" });
      assert.equal(code, 2);
      assert.equal(stdout, "");
      for (const name of Object.keys(wrong)) assert.match(stderr, new RegExp(`^${script}: ${name} is `, "m"), name);
      assert.deepEqual(stage.calls(), []);
      assert.ok(!existsSync(join(stage.folder, "reached")));
    });

  for (const [name, value] of [
    ["PROJECT", "fx-features\n"],
    ["PROJECT", "-fx-features"],
    ["REGION", "us-central1-a; id"],
    ["PAIRS", "audusd gbpusd"],
    ["PAIRS", "audusd,"],
    ["RUN", "-a"],
    ["RUN", "a".repeat(41)],
    ["CEILING", "50"],
  ] as const)
    test(`${name}=${JSON.stringify(value)} is refused in a dry run, too`, () => {
      const { code, stderr } = stage.run("deploy", { [name]: value, DRY_RUN: "1" });
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`^deploy: ${name} is .*, allowed is `, "s"));
    });
});

describe("a machine where something is missing", () => {
  for (const script of ["deploy", "run-all"])
    test(`${script} names every missing tool at once, each with what to do`, () => {
      const { code, stderr } = bare.run(script, { PROJECT: "fx-features", YES: "1" });
      assert.equal(code, 3);
      const named = stderr.trim().split("\n");
      assert.equal(named.length, 4, stderr);
      for (const tool of ["terraform", "gcloud", "kubectl", "gke-gcloud-auth-plugin"])
        assert.ok(
          named.some((line) => line.startsWith(`${script}: ${tool} is missing`) && /: (https:|gcloud )/.test(line)),
          tool,
        );
    });

  test("Cloud Run alone needs no kubectl", () => {
    const { stderr } = bare.run("deploy", { PROJECT: "fx-features", YES: "1", BACKENDS: "cloudrun" });
    assert.doesNotMatch(stderr, /kubectl/);
  });

  test("both kinds of credentials are named", () => {
    stage.note("no-account");
    const { code, stderr } = stage.run("deploy", { PROJECT: "fx-features", YES: "1" });
    assert.equal(code, 3);
    assert.match(stderr, /no account: gcloud auth login$/m);
    assert.match(stderr, /application default credentials.* are missing: gcloud auth application-default login$/m);
    assert.ok(!stage.calls().some((call) => /services|terraform.*(init|plan|apply)/.test(call)));
  });
});

describe("nobody to ask", () => {
  const asking = new Stage();
  asking.install();

  test("deploy says what it would make, and refuses without YES=1", () => {
    const { code, stdout, stderr } = asking.run("deploy", { PROJECT: "fx-features" });
    assert.equal(code, 2);
    assert.match(stdout, /a GKE cluster +\$73\.00 per month/);
    assert.match(stderr, /no terminal to ask on: set YES=1/);
    assert.ok(!asking.calls().some((call) => /enable|init|plan|apply/.test(call)));
  });

  test("destroy says what would go, and refuses without YES=1", () => {
    asking.note("image", "null");
    asking.note("resources", "google_storage_bucket.data\ngoogle_container_cluster.cluster\n");
    const { code, stdout, stderr } = asking.run("destroy", { DELETE_DATA: "1" });
    assert.equal(code, 2, stderr);
    assert.match(stdout, /^ {2}google_container_cluster\.cluster$/m);
    assert.match(stdout, /THE BUCKET gs:\/\/fx-features-widemerge WITH ALL/);
    assert.match(stderr, /YES=1/);
    assert.ok(!asking.calls().some((call) => / delete | apply| rm | destroy/.test(call)));
  });
});

describe("where nothing is deployed", () => {
  const empty = new Stage();
  empty.install();
  for (const script of ["run-all", "status", "report", "destroy"])
    test(`${script} says so`, () => {
      const { code, stderr } = empty.run(script, { YES: "1" });
      assert.equal(code, 2);
      assert.match(stderr, /nothing is deployed from this checkout.*: make deploy/);
    });
});
