/** From nothing to a report and back, with stand-ins for gcloud, terraform, GKE, and widemerge against a bucket. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { parse } from "yaml";
import { type Ended, findKubectl, Stage } from "./support.ts";

const image = "us-central1-docker.pkg.dev/fx-features/widemerge/widemerge";
const digest = `sha256:${String(7).padStart(64, "0")}`;
const variables = '-var=project=fx-features -var=backends=["kubernetes"]';
const context = "--context=gke_fx-features_us-central1_widemerge";
const project = { PROJECT: "fx-features", BUILDER: "cloud", YES: "1" };

/** A plan that makes the bucket anew, as a change of its location does. */
const replaced = JSON.stringify({
  address: "google_storage_bucket.data",
  type: "google_storage_bucket",
  mode: "managed",
  change: { actions: ["delete", "create"], after: { name: "other" } },
});

/** Calls that change something. */
function changes(stage: Stage): string[] {
  return stage
    .calls()
    .filter(
      (call) =>
        !/auth |terraform (output|show|state list|plan)|config |images list|kustomize|describe/.test(
          call.replace("-chdir=terraform ", ""),
        ),
    );
}

function succeed(ended: Ended): Ended {
  assert.equal(ended.code, 0, ended.stdout + ended.stderr);
  return ended;
}

describe("a deployment", { skip: findKubectl() === undefined && "no kubectl here" }, () => {
  const stage = new Stage();
  before(() => {
    stage.install();
    stage.replaceWidemerge();
  });
  const applied = () => readFileSync(join(stage.state, "applied.yaml"), "utf8");

  test("the first: registry and bucket, then the image, then what needs it, then the manifests", () => {
    const { stdout } = succeed(stage.run("deploy", project));
    assert.match(stdout, /create +google_storage_bucket/, "what terraform plans");
    assert.match(stdout, /cost at rest: \$85\.96 a month/);
    const reference = `${image}:${stage.tag}`;
    assert.deepEqual(
      changes(stage).map((call) => call.replace(/_REVISION=[^,]*/, "_REVISION")),
      [
        "gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com --project=fx-features",
        "terraform -chdir=terraform init -input=false",
        "terraform -chdir=terraform apply -input=false .terraform/deploy.tfplan",
        "gcloud services enable cloudbuild.googleapis.com --project=fx-features",
        `gcloud builds submit . --project=fx-features --config=scripts/cloud/cloudbuild.yaml --ignore-file=scripts/cloud/gcloudignore --gcs-source-staging-dir=gs://fx-features-widemerge/.builds --substitutions=_IMAGE=${reference},_REVISION,_BUILDER=b@fx-features.iam.gserviceaccount.com`,
        `terraform -chdir=terraform apply -auto-approve -input=false ${variables} -var=image=${image}@${digest}`,
        "gcloud container clusters get-credentials widemerge --location=us-central1 --project=fx-features --dns-endpoint",
        `kubectl ${context} apply -k k8s/deployed`,
      ],
    );
    assert.equal(applied().split(`${image}@${digest}`).length, 3, "for the controller and for its workers");
    assert.ok(!existsSync(join(stage.checkout, "terraform/.terraform/deploy.tfplan")), "plans hold what is known");
  });

  test("the second finds all of it there: nothing is built, and terraform is given the image that runs", () => {
    stage.note("context");
    const { stdout } = succeed(stage.run("deploy", project));
    assert.match(stdout, /the image [0-9a-f]{12} is in the registry/);
    const calls = stage.calls();
    assert.ok(
      calls.some(
        (call) =>
          call.includes(` plan -out=`) && call.endsWith(`-var=region=us-central1 -var=image=${image}@${digest}`),
      ),
    );
    assert.deepEqual(
      calls.filter((call) => / apply| submit|push|import/.test(call)),
      [
        "terraform -chdir=terraform apply -input=false .terraform/deploy.tfplan",
        `kubectl ${context} apply -k k8s/deployed`,
      ],
    );
  });

  test("a changed file is another image, which says so", () => {
    stage.write("package.json", "\n");
    const { stdout } = succeed(stage.run("deploy", project));
    assert.match(stdout, /the image is called [0-9a-f]{12}-dirty-[0-9a-f]{8}$/m);
    const [built] = stage.calls().filter((call) => call.includes("builds submit"));
    assert.match(built ?? "", /-dirty-/);
  });

  test("another project or region is refused", () => {
    const { code, stderr } = stage.run("deploy", { ...project, PROJECT: "fx-others" });
    assert.equal(code, 2);
    assert.match(stderr, /state is of fx-features/);
    assert.match(
      stage.run("deploy", { ...project, REGION: "europe-west4" }).stderr,
      /the deployment is in us-central1/,
    );
    assert.deepEqual(changes(stage), []);
  });

  test("what would delete the bucket is refused, whatever was said", () => {
    writeFileSync(join(stage.state, "plan"), replaced);
    const { code, stderr } = stage.run("deploy", project);
    assert.equal(code, 2);
    assert.match(stderr, /would delete the bucket/);
    assert.ok(!changes(stage).some((call) => call.includes(" apply ")));
    rmSync(join(stage.state, "plan"));
  });

  test("run-all starts a Job with what was asked for, follows it and fetches the report", () => {
    const { stdout } = succeed(
      stage.run("run-all", { RUN: "a-run", PAIRS: "audusd,gbpusd", WIDEMERGE_MAX_COST: "20" }),
    );
    assert.match(stdout, /the controller's log/);
    const job = parse(readFileSync(join(stage.state, "job.yaml"), "utf8"));
    assert.equal(job.metadata.name, "a-run");
    assert.deepEqual(job.spec.template.spec.containers[0].env, [
      { name: "WIDEMERGE_BACKEND", value: "kubernetes" },
      { name: "WIDEMERGE_MAX_COST", value: "20" },
      { name: "WIDEMERGE_PAIRS", value: "audusd,gbpusd" },
    ]);
    assert.match(stdout, /reports\/a-run\.html$/m);
    assert.equal(stage.read("reports/a-run.html"), "a report\n");
  });

  test("run-all of a name that is over goes on with it; a failed run is a failure", () => {
    stage.note("ending", "Failed");
    const { code } = stage.run("run-all", { RUN: "a-run" });
    assert.equal(code, 1);
    const calls = changes(stage).filter((call) => / delete | create | report /.test(call));
    const words = calls.slice(-4).map((call) => call.replace(/^.*?--namespace=widemerge /, "").split(" --")[0]);
    assert.equal(words[0], "delete job a-run");
    assert.deepEqual(words.slice(1, 3).sort(), ["create", "create job a-run"], "at once, in one pipe");
    assert.equal(words[3], "widemerge report a-run");
  });

  test("run-all on Cloud Run wants it deployed, and hands a failure on", () => {
    const none = stage.run("run-all", { BACKEND: "cloudrun" });
    assert.equal(none.code, 2);
    assert.match(none.stderr, /cloudrun is not deployed: make deploy BACKENDS=kubernetes,cloudrun/);
    stage.note("with-cloudrun");
    succeed(stage.run("run-all", { BACKEND: "cloudrun", RUN: "b-run" }));
    stage.note("run-fails");
    assert.equal(stage.run("run-all", { BACKEND: "cloudrun", RUN: "b-run" }).code, 1);
    stage.calls();
  });

  test("status asks for the run and its backend", () => {
    succeed(stage.run("status", { RUN: "a-run" }));
    const flags =
      "--output=gs://fx-features-widemerge/training --kube-context=gke_fx-features_us-central1_widemerge --namespace=widemerge";
    assert.equal(stage.calls().at(-1), `widemerge status a-run ${flags}`);
  });

  test("destroy keeps the bucket, and the next deploy takes it over", () => {
    const { stdout } = succeed(stage.run("destroy", { YES: "1" }));
    assert.match(stdout, /What stays: the bucket gs:\/\/fx-features-widemerge/);
    const calls = changes(stage).map((call) => call.replace(/^(terraform) -chdir=terraform/, "$1"));
    assert.deepEqual(
      calls.map((call) => call.split(" ").slice(0, 3).join(" ")),
      [
        `kubectl ${context} --namespace=widemerge`,
        "terraform apply -input=false",
        "terraform state rm",
        "terraform destroy -input=false",
      ],
    );
    assert.ok(calls[3]?.includes(`-var=image=${image}@`), "nothing else is changed on the way");
    const taken = succeed(stage.run("deploy", project));
    assert.match(taken.stdout, /gs:\/\/fx-features-widemerge exists already: it is used with its content/);
    const again = stage.calls().filter((call) => /^terraform .* (plan|import|apply) -/.test(call));
    assert.deepEqual(
      again.map((call) => call.split(" ").slice(2, 3).join(" ")),
      ["plan", "import", "plan", "apply", "apply"],
      "what is applied was planned after the import",
    );
    assert.equal(
      again[1],
      `terraform -chdir=terraform import -input=false ${variables} google_storage_bucket.data fx-features-widemerge`,
    );
  });

  test("a bucket that was taken over, but would be made anew elsewhere, is not", () => {
    succeed(stage.run("destroy", { YES: "1" }));
    writeFileSync(join(stage.state, "plan-after-import"), replaced);
    const { code, stderr } = stage.run("deploy", project);
    assert.equal(code, 2);
    assert.match(stderr, /would delete the bucket/);
    rmSync(join(stage.state, "plan-after-import"));
    succeed(stage.run("deploy", project));
    stage.calls();
  });

  test("destroy with DELETE_DATA=1 deletes the bucket when all else is gone", () => {
    succeed(stage.run("destroy", { YES: "1", DELETE_DATA: "1" }));
    assert.equal(
      changes(stage).at(-1),
      "gcloud storage rm --recursive gs://fx-features-widemerge --project=fx-features",
    );
    assert.match(stage.run("destroy", { YES: "1" }).stderr, /nothing is deployed/);
  });

  test("a state that is shared is reached first", () => {
    const other = new Stage();
    other.install();
    other.replaceWidemerge();
    other.write("terraform/backend_override.tf", 'terraform {\n  backend "gcs" {}\n}\n');
    for (const name of ["image", "resources", "context"]) other.note(name, "null\n");
    succeed(other.run("status"));
    const asked = other.calls().filter((call) => call.startsWith("terraform"));
    assert.deepEqual(asked.slice(0, 2), [
      "terraform -chdir=terraform init -input=false",
      "terraform -chdir=terraform output -json",
    ]);
  });

  test("a backend that is given up is not applied to any more", () => {
    const other = new Stage();
    other.install();
    succeed(other.run("deploy", project));
    other.note("no-kubernetes");
    other.calls();
    const { stdout } = succeed(other.run("deploy", { ...project, BACKENDS: "cloudrun" }));
    assert.doesNotMatch(stdout, /The manifests/);
    assert.ok(!other.calls().some((call) => /kubectl|get-credentials/.test(call)));
  });
});
