/** DRY_RUN=1 of every target: each command that needs the cloud, in order, and no other is run. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { commandsOf, findKubectl, Stage } from "./support.ts";

const stage = new Stage();
if (findKubectl() !== undefined) stage.installKubectl();
const dry = { DRY_RUN: "1", PROJECT: "fx-features" };
const digest = `sha256:${"0".repeat(64)}`;
const context = "--context=gke_fx-features_us-central1_widemerge";
const who = [
  "gcloud auth list --filter=status:ACTIVE '--format=value(account)'",
  "gcloud auth application-default print-access-token >/dev/null",
];
const credentials =
  "gcloud container clusters get-credentials widemerge --location=us-central1 --project=fx-features --dns-endpoint";
const knownRun = (command: string) =>
  `env WIDEMERGE_PROJECT=fx-features WIDEMERGE_REGION=us-central1 bin/widemerge ${command} --output=gs://fx-features-widemerge/training --kube-context=gke_fx-features_us-central1_widemerge --namespace=widemerge`;

describe("a dry run without any tool of the cloud", () => {
  test("deploy", () => {
    const ended = stage.run("deploy", { ...dry, BACKENDS: "kubernetes,cloudrun", BUILDER: "cloud" });
    assert.equal(ended.code, 0, ended.stderr);
    const variables = '-var=project=fx-features \'-var=backends=["kubernetes","cloudrun"]\'';
    const image = "us-central1-docker.pkg.dev/fx-features/widemerge/widemerge";
    const revision = execFileSync("git", ["-C", stage.checkout, "rev-parse", "HEAD"], { encoding: "utf8" }).trim();
    assert.deepEqual(commandsOf(ended), [
      ...who,
      "gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com --project=fx-features",
      "terraform -chdir=terraform init -input=false",
      `terraform -chdir=terraform plan -out=.terraform/deploy.tfplan -input=false ${variables}`,
      `terraform -chdir=terraform import -input=false ${variables} google_storage_bucket.data fx-features-widemerge`,
      "terraform -chdir=terraform apply -input=false .terraform/deploy.tfplan",
      `gcloud artifacts docker images list ${image} --include-tags --project=fx-features '--format=value(version,tags)'`,
      "gcloud services enable cloudbuild.googleapis.com --project=fx-features",
      `gcloud builds submit . --project=fx-features --config=scripts/cloud/cloudbuild.yaml --ignore-file=scripts/cloud/gcloudignore --gcs-source-staging-dir=gs://fx-features-widemerge/.builds --substitutions=_IMAGE=${image}:${stage.tag},_REVISION=${revision},_BUILDER=widemerge-builder@fx-features.iam.gserviceaccount.com`,
      `terraform -chdir=terraform apply -auto-approve -input=false ${variables} -var=image=${image}@${digest}`,
      credentials,
      `kubectl ${context} apply -k k8s/deployed`,
    ]);
    assert.match(ended.stdout, /a bucket +\$0\.02 .* \$12\.96 per month/, "what it costs at rest");
    assert.match(ended.stdout, /a GKE cluster +\$73\.00 per month/);
  });

  test("deploy builds with an engine of this machine where BUILDER names one", () => {
    const commands = commandsOf(stage.run("deploy", { ...dry, BUILDER: "docker" }));
    const reference = `us-central1-docker.pkg.dev/fx-features/widemerge/widemerge:${stage.tag}`;
    const place = commands.indexOf(`scripts/image.sh build ${reference}`);
    assert.deepEqual(commands.slice(place + 1, place + 3), [
      "gcloud auth print-access-token | docker login --username oauth2accesstoken --password-stdin us-central1-docker.pkg.dev",
      `docker push ${reference}`,
    ]);
  });

  test("run-all on Kubernetes, and the report", () => {
    const ended = stage.run("run-all", { ...dry, RUN: "a-run", PAIRS: "audusd,gbpusd", SPOT: "1", CEILING: "20GiB" });
    assert.equal(ended.code, 0, ended.stderr);
    const settings =
      "WIDEMERGE_BACKEND=kubernetes WIDEMERGE_PAIRS=audusd,gbpusd WIDEMERGE_SPOT=true WIDEMERGE_MEMORY_CEILING=20GiB WIDEMERGE_MEMORY_WARN=auto WIDEMERGE_MEMORY_FREE=0 WIDEMERGE_DISK_FREE=auto";
    const cluster = `${context} --namespace=widemerge`;
    assert.deepEqual(commandsOf(ended), [
      ...who,
      credentials,
      `kubectl ${cluster} create job a-run --from=cronjob/run-all --dry-run=client --output=yaml | kubectl set env --local --filename=- --output=yaml ${settings} | kubectl ${cluster} create --filename=-`,
      `kubectl ${cluster} logs job/a-run --follow`,
      knownRun("report a-run"),
      "gcloud storage cp gs://fx-features-widemerge/training/runs/a-run/report.html reports/a-run.html",
    ]);
  });

  test("run-all on Cloud Run", () => {
    const ended = stage.run("run-all", { ...dry, BACKEND: "cloudrun", RUN: "a-run", WIDEMERGE_MAX_COST: "20" });
    assert.equal(
      commandsOf(ended)[2],
      "gcloud run jobs execute widemerge-controller '--update-env-vars=^|^WIDEMERGE_BACKEND=cloudrun|WIDEMERGE_MAX_COST=20|WIDEMERGE_RUN=a-run' --region=us-central1 --project=fx-features --wait",
    );
  });

  test("run-all on this machine with a bucket", () => {
    const ended = stage.run("run-all", { ...dry, BACKEND: "local" });
    assert.equal(
      commandsOf(ended)[2],
      "env WIDEMERGE_BACKEND=local WIDEMERGE_MEMORY_CEILING=auto WIDEMERGE_MEMORY_WARN=auto WIDEMERGE_MEMORY_FREE=0 WIDEMERGE_DISK_FREE=auto WIDEMERGE_INPUT=gs://fx-features-widemerge/checkpoints WIDEMERGE_OUTPUT=gs://fx-features-widemerge/training bin/widemerge run-all --config=profiles/27-pairs.yaml",
    );
  });

  test("a run without a name is called by its day and time", () => {
    assert.match(commandsOf(stage.run("run-all", dry))[3] ?? "", / create job \d{4}-\d\d-\d\d-\d{6} --from/);
  });

  test("status and report", () => {
    assert.deepEqual(commandsOf(stage.run("status", { ...dry, RUN: "a-run", WATCH: "1" })), [
      ...who,
      credentials,
      `${knownRun("status a-run")} --watch`,
    ]);
    assert.deepEqual(commandsOf(stage.run("report", dry)), [
      ...who,
      credentials,
      knownRun("report"),
      "gcloud storage cp gs://fx-features-widemerge/training/runs/RUN/report.html reports/RUN.html",
    ]);
  });

  test("destroy leaves the bucket, and with DELETE_DATA=1 deletes it last", () => {
    const variables =
      "-input=false -auto-approve -var=project=fx-features -var=region=us-central1 '-var=backends=[\"kubernetes\"]' -var=deletion_protection=false";
    const kept = [
      ...who,
      credentials,
      `kubectl ${context} --namespace=widemerge delete namespace widemerge --ignore-not-found --timeout=5m`,
      `terraform -chdir=terraform apply ${variables} -target=google_container_cluster.cluster`,
      "terraform -chdir=terraform state rm google_storage_bucket.data",
      `terraform -chdir=terraform destroy ${variables}`,
    ];
    const given = { ...dry, BACKENDS: "kubernetes" };
    assert.deepEqual(commandsOf(stage.run("destroy", given)), kept);
    const last = "gcloud storage rm --recursive gs://fx-features-widemerge --project=fx-features";
    assert.deepEqual(commandsOf(stage.run("destroy", { ...given, DELETE_DATA: "1" })), [...kept, last]);
  });

  test("what is missing is named, and does not stop it", () => {
    const { code, stdout } = stage.run("deploy", dry);
    assert.equal(code, 0);
    for (const tool of ["terraform", "gcloud", "gke-gcloud-auth-plugin"])
      assert.match(stdout, new RegExp(`# MISSING: ${tool} is missing.*: .`), tool);
  });

  test("without a project it goes on with a name that says so", () => {
    const { code, stdout } = stage.run("deploy", { DRY_RUN: "1" });
    assert.equal(code, 0);
    assert.match(stdout, /-var=project=your-project /);
  });

  test("commands can be pasted: a shell reads the words that were meant", () => {
    const price = "a b'c\"$(touch pasted)`touch pasted`\\*.yaml";
    const ended = stage.run("run-all", { ...dry, BACKEND: "local", WIDEMERGE_PRICES: price });
    const command = commandsOf(ended).find((line) => line.startsWith("env ")) ?? "";
    const words = execFileSync("bash", ["-c", `printf '%s\\n' ${command}`], { encoding: "utf8", cwd: stage.folder });
    assert.ok(words.split("\n").includes(`WIDEMERGE_PRICES=${price}`), words);
    assert.ok(!existsSync(join(stage.folder, "pasted")));
  });
});

describe("the manifests of a deployment", { skip: findKubectl() === undefined && "no kubectl here" }, () => {
  const ended = stage.run("deploy", dry);
  assert.equal(ended.code, 0, ended.stderr);
  const all = parseAllDocuments(stage.read("k8s/dry-run/manifests.yaml")).map((document) => document.toJS());
  const find = (kind: string) => all.filter((manifest) => manifest.kind === kind);

  test("start no run: there is a suspended template, and no Job", () => {
    assert.deepEqual(find("Job"), []);
    assert.deepEqual(
      find("CronJob").map(({ metadata, spec }) => [metadata.name, metadata.namespace, spec.suspend]),
      [["run-all", "widemerge", true]],
    );
  });

  test("name the image by digest, for the controller and for its workers", () => {
    const [container] = find("CronJob")[0].spec.jobTemplate.spec.template.spec.containers;
    const image = `us-central1-docker.pkg.dev/fx-features/widemerge/widemerge@${digest}`;
    assert.equal(container.image, image);
    assert.equal(container.env.find(({ name }: { name: string }) => name === "WIDEMERGE_IMAGE").value, image);
  });

  test("give the run this deployment's places, over those of the overlay", () => {
    const [settings] = find("ConfigMap");
    assert.equal(settings.data.WIDEMERGE_INPUT, "gs://fx-features-widemerge/checkpoints");
    assert.equal(settings.data.WIDEMERGE_PROJECT, "fx-features", "traces are named in it");
    assert.equal(settings.data.WIDEMERGE_OUTPUT, "gs://fx-features-widemerge/training");
    const [container] = find("CronJob")[0].spec.jobTemplate.spec.template.spec.containers;
    assert.deepEqual(container.envFrom, [{ configMapRef: { name: settings.metadata.name } }]);
  });

  test("git sees nothing of what was generated", () => {
    const status = execFileSync("git", ["-C", stage.checkout, "status", "--porcelain"], { encoding: "utf8" });
    assert.doesNotMatch(status, /k8s|reports/);
  });
});

test("the Makefile hands variables on in the environment alone", () => {
  const nasty = "nasty'; id #";
  const flags = ["-n", "-s", "-C", stage.checkout, "deploy", "run-all", "status", "report", "destroy"];
  const recipes = execFileSync("make", flags, {
    encoding: "utf8",
    env: { ...process.env, PROJECT: nasty, PAIRS: nasty },
  });
  const targets = recipes.split("\n").filter((line) => line.includes("scripts/cloud/"));
  assert.equal(targets.length, 5);
  assert.ok(!recipes.includes("nasty"), recipes);
});
