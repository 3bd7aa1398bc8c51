/**
 * What `make deploy` applies and how `make run-all` starts a run, on the real cluster. Stand-ins: terraform's outputs, and
 * gcloud's word that somebody is logged in.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { nameOutputs } from "../../src/model/output-names.ts";
import { type Ended, Stage } from "../cloud/support.ts";
import { Field, image, whySkipped } from "./support.ts";

const pairs = ["audusd", "gbpusd"];
const field = new Field("deploy");
const stage = new Stage();

/** The image under its digest, as a registry would give it. */
function pinImage(): string {
  const folder =
    process.env.WIDEMERGE_CLUSTER ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "widemerge/cluster");
  const ctr = (...args: readonly string[]) =>
    execFileSync("ctr", ["--address", join(folder, "containerd.sock"), "--namespace", "k8s.io", "images", ...args], {
      encoding: "utf8",
    });
  const digest = ctr("ls", `name==${image}`).match(/sha256:[0-9a-f]{64}/)?.[0] ?? "";
  const pinned = `${image.replace(/:[^:]*$/, "")}@${digest}`;
  ctr("tag", "--force", image, pinned);
  return pinned;
}

/** The machine under the test is no GKE: the claim instead of the bucket, and limits that fit. */
function adaptOverlay(): void {
  const overlay = "k8s/overlays/gke-autopilot";
  const volume = stage.read("k8s/overlays/generic/volume.yaml").replaceAll("/data", field.folder);
  const door = `- name: controller\n          env: [{ name: KUBECONFIG, value: ${field.door} }]\n`;
  stage.write(`${overlay}/volume.yaml`, volume.replace("- name: controller\n", door));
  stage.write(`${overlay}/kustomization.yaml`, "patches:\n  - path: volume.yaml\n");
  const settings = {
    VOLUME_CLAIM: `data:${field.folder}`,
    EXPECT_TABLES: "6",
    IMAGE_PULL_POLICY: "Never",
    SYNC: "false",
  };
  for (const [name, value] of Object.entries(settings))
    stage.write(`${overlay}/settings.env`, `WIDEMERGE_${name}=${value}\n`);
}

/** Stands in for terraform: the outputs of a deployment on this cluster. */
function installTerraform(): void {
  const kubernetes = { cluster: "test", location: "here", context: "widemerge-test", namespace: field.namespace };
  const outputs = {
    project: "fx-features",
    region: "us-central1",
    input: field.input,
    output: field.output,
    kubernetes,
  };
  const document = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, { value }]));
  const path = join(stage.folder, "bin/terraform");
  writeFileSync(path, `#!/bin/sh\n# Stands in for terraform.\ncat <<'JSON'\n${JSON.stringify(document)}\nJSON\n`);
  chmodSync(path, 0o755);
}

/** The part of `make deploy` that comes after the image. */
function applyManifests(pinned: string): void {
  const parts = ["lib", "tools", "deployment", "overlay"].map((part) => `. scripts/cloud/${part}.sh`);
  const script = ["set -euo pipefail", "me=deploy", ...parts, "read_deployment", 'write_overlay "$1"', "apply_overlay"];
  const env = { PATH: join(stage.folder, "bin"), KUBECONFIG: process.env.KUBECONFIG };
  const { status, stdout, stderr } = spawnSync("bash", ["-c", script.join("\n"), "bash", pinned], {
    cwd: stage.checkout,
    env,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout + stderr);
}

function runAll(variables: Readonly<Record<string, string>>): Ended {
  return stage.run("run-all", {
    KUBECONFIG: process.env.KUBECONFIG ?? "",
    CEILING: "512MiB",
    WIDEMERGE_CPU: "0.5",
    ...variables,
  });
}

describe("a deployment", { skip: whySkipped(), timeout: 600_000 }, () => {
  let relay: ChildProcess | undefined;
  let pinned = "";
  before(async () => {
    field.open();
    field.sample(pairs, "--tables", "5");
    stage.install(["gcloud", "gke-gcloud-auth-plugin"]);
    stage.installKubectl();
    installTerraform();
    adaptOverlay();
    relay = await field.openDoor();
    pinned = pinImage();
  });
  after(() => {
    relay?.kill();
    field.close();
  });
  const jobs = () => field.kubectl("get", "jobs", "-o", "jsonpath={.items[*].metadata.name}").split(" ").sort();

  test("applied, twice, it starts nothing", () => {
    applyManifests(pinned);
    applyManifests(pinned);
    assert.equal(field.kubectl("get", "cronjob", "run-all", "-o", "jsonpath={.spec.suspend}"), "true");
    assert.deepEqual(jobs(), [""]);
  });

  test("run-all merges the pairs that were asked for, tells the controller's log, and has the report", () => {
    const { code, stdout, stderr } = runAll({ RUN: "a-run", PAIRS: "audusd" });
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(jobs(), ["a-run", "widemerge-a-run-0"]);
    assert.ok(existsSync(join(field.output, nameOutputs("audusd").manifest)));
    assert.ok(!existsSync(join(field.output, nameOutputs("gbpusd").manifest)));
    assert.match(stdout, /run a-run on kubernetes: 1 pairs?: 1 done/, "from the log");
    const report = join(field.output, "runs/a-run/report.html");
    assert.ok(stdout.includes(`\n${report}\n`) && existsSync(report), stdout);
  });

  test("workers run the controller's image, by digest", () => {
    const path = "jsonpath={.items[*].spec.template.spec.containers[0].image}";
    assert.deepEqual(field.kubectl("get", "jobs", "-o", path).split(" "), [pinned, pinned]);
  });

  test("the same run once more finds its pair done", () => {
    const { code, stdout, stderr } = runAll({ RUN: "a-run", PAIRS: "audusd" });
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(readdirSync(join(field.output, "runs/a-run/results/audusd")).length, 1);
  });

  test("a run that is refused fails, and says why", () => {
    const { code, stdout } = runAll({ RUN: "b-run", PAIRS: "gbpusd", WIDEMERGE_EXPECT_TABLES: "7" });
    assert.equal(code, 1);
    assert.match(stdout, /gbpusd.*7/s);
  });

  test("status asks the cluster", () => {
    const { code, stdout, stderr } = stage.run("status", { KUBECONFIG: process.env.KUBECONFIG ?? "", RUN: "a-run" });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /run a-run on kubernetes/);
  });
});
