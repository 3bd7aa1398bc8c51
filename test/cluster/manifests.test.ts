/** The manifests under k8s/, applied as a person would: the overlay's places and image set, then `kubectl apply -k`. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { nameOutputs } from "../../src/model/output-names.ts";
import { waitFor } from "../support/wait.ts";
import { Field, image, whySkipped } from "./support.ts";

const skip = whySkipped();
const checkout = new URL("../..", import.meta.url).pathname;
const pairs = ["audusd", "gbpusd", "usdjpy"];
const field = new Field("manifests");
const overlays = ["generic", "gke-autopilot"];

/** The image that the Dockerfile makes, where IMAGE names one; else the one that stands in for it. */
function chooseImage(): string {
  const built = process.env.IMAGE;
  if (built === undefined) return image;
  const archive = join(field.folder, "image.tar");
  execFileSync(join(checkout, "scripts/image.sh"), ["save", built, archive], { stdio: "pipe" });
  execFileSync(join(checkout, "scripts/cluster.sh"), ["image", archive, "localhost/widemerge:built"], {
    stdio: "pipe",
  });
  rmSync(archive);
  return "localhost/widemerge:built";
}

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

/** A copy of k8s/ with the overlays set for this cluster; the schedule is added to the generic one as `own`. */
function prepare(folder: string): void {
  const [newName = "", newTag = ""] = chooseImage().split(/:(?=[^:]*$)/);
  cpSync(join(checkout, "k8s"), folder, { recursive: true });
  for (const overlay of overlays)
    edit(join(folder, "overlays", overlay, "kustomization.yaml"), (text) =>
      text
        .replace("namespace: widemerge", `namespace: ${field.namespace}`)
        .replace(
          /( *- name: widemerge\n)( *newName: .*\n)? *newTag: .*/,
          `$1    newName: ${newName}\n    newTag: ${newTag}`,
        ),
    );
  edit(join(folder, "overlays/generic/settings.env"), (text) => text.replaceAll("/data", field.folder));
  edit(join(folder, "overlays/generic/volume.yaml"), (text) =>
    text
      .replaceAll("/data", field.folder)
      .replace("- name: controller\n", `$&          env: [{ name: KUBECONFIG, value: ${field.door} }]\n`),
  );
  appendFileSync(join(folder, "overlays/generic/settings.env"), settings.join("\n"));
  mkdirSync(join(folder, "own"));
  const own = [
    "resources: [../overlays/generic]",
    "components: [../components/schedule]",
    `namespace: ${field.namespace}`,
  ];
  writeFileSync(join(folder, "own/kustomization.yaml"), own.join("\n"));
}

/** The profile is for machines of 50 GiB. */
const settings = [
  `WIDEMERGE_PAIRS=${pairs.join(",")}`,
  "WIDEMERGE_MEMORY_CEILING=512MiB",
  "WIDEMERGE_MEMORY_WARN=auto",
  "WIDEMERGE_MEMORY_FREE=0",
  "WIDEMERGE_DISK_FREE=auto",
  "WIDEMERGE_EXPECT_TABLES=6",
  "WIDEMERGE_CPU=0.5",
  "WIDEMERGE_IMAGE_PULL_POLICY=Never",
  "WIDEMERGE_SYNC=false",
];

describe("the manifests", { skip, timeout: 600_000 }, () => {
  const manifests = () => join(field.folder, "k8s");
  let relay: ChildProcess | undefined;
  before(async () => {
    field.open();
    field.sample(pairs, "--tables", "5");
    prepare(manifests());
    relay = await field.openDoor();
  });
  after(() => {
    relay?.kill();
    field.close();
  });

  /** Waits until the Job is over, and asserts that it ended like this. */
  async function waitForEnd(job: string, end = "Complete"): Promise<void> {
    const path = "jsonpath={.status.conditions[?(@.status=='True')].type}";
    const findEnd = (): readonly string[] | false => {
      const conditions = field.kubectl("get", "job", job, "-o", path).split(" ");
      return [end, "Failed", "Complete"].some((type) => conditions.includes(type)) && conditions;
    };
    const conditions = await waitFor(findEnd, { what: `the end of ${job}`, seconds: 180, everyMilliseconds: 500 });
    assert.ok(conditions.includes(end), field.kubectl("logs", "-l", `job-name=${job}`, "--tail=20"));
  }

  for (const overlay of overlays)
    test(`the server accepts ${overlay} as it is`, () => {
      const args = ["apply", "--dry-run=server", "-k", join(manifests(), "overlays", overlay)];
      const { status, stderr, stdout } = spawnSync("kubectl", args, { encoding: "utf8" });
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /Warning: (?!resource namespaces)/, "nor has it a word of warning");
      for (const kind of ["role", "rolebinding", "serviceaccount/worker", "configmap/settings-", "job.batch/all-pairs"])
        assert.ok(stdout.includes(kind), `${kind} in ${stdout}`);
    });

  test("applied, it merges every pair without anybody looking on, and leaves its report", async () => {
    field.kubectl("apply", "-k", join(manifests(), "own"));
    await waitForEnd("all-pairs");
    for (const pair of pairs)
      for (const name of Object.values(nameOutputs(pair))) assert.ok(existsSync(join(field.output, name)), name);
    assert.ok(existsSync(join(field.output, "runs/all-pairs/report.html")), "the run is called as its Job");
    const path = "{.items[*].spec.template.spec['serviceAccountName','automountServiceAccountToken']}";
    const workers = field.kubectl("get", "jobs", "-l", "widemerge/run=all-pairs", "-o", `jsonpath=${path}`);
    assert.equal(workers, "worker false");
  });

  test("a run by hand from the schedule finds every pair done", async () => {
    field.kubectl("create", "job", "by-hand", "--from=cronjob/nightly");
    await waitForEnd("by-hand");
    assert.match(field.kubectl("logs", "job/by-hand"), /3 .*done before/);
    assert.equal(field.kubectl("get", "jobs", "-l", "widemerge/run=by-hand", "-o", "name"), "");
  });

  test("a controller that is lost is started again and goes on with its run", async () => {
    for (const pair of pairs) rmSync(join(field.output, nameOutputs(pair).manifest), { force: true });
    field.kubectl("create", "job", "lost", "--from=cronjob/nightly");
    field.kubectl("wait", "--for=create", "job/widemerge-lost-0", "--timeout=60s");
    field.kubectl("delete", "pod", "-l", "job-name=lost", "--grace-period=0", "--force");
    await waitForEnd("lost");
    for (const pair of pairs) assert.ok(existsSync(join(field.output, nameOutputs(pair).manifest)), pair);
  });

  /** A run of one slow worker at a time. */
  function startSlowly(job: string): void {
    const made = field.kubectl("create", "job", job, "--from=cronjob/nightly", "--dry-run=client", "-o", "json");
    const manifest = JSON.parse(made);
    const slow = [
      { name: "WIDEMERGE_PARALLELISM", value: "1" },
      { name: "WIDEMERGE_CPU", value: "0.2" },
    ];
    manifest.spec.template.spec.containers[0].env.push(...slow);
    field.apply(manifest);
  }

  /** The last lines of a pod's log as it ends; the log of a pod that is deleted goes with it. */
  async function followLog(pod: string): Promise<string> {
    const child = spawn("kubectl", ["-n", field.namespace, "logs", "-f", pod], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    return text(child.stdout);
  }

  function listRecords(run: string): readonly string[] {
    const folder = join(field.output, "runs", run, "results");
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
  }

  test("a controller that is deleted leaves its workers at work; the next one goes on, no pair done twice", async () => {
    for (const pair of pairs) rmSync(join(field.output, nameOutputs(pair).manifest), { force: true });
    const pods = (job: string, path: string) =>
      field.kubectl("get", "pods", "-l", `job-name=${job}`, "-o", `jsonpath={.items[*]${path}}`);
    const uid = () => field.kubectl("get", "job", "widemerge-drained-0", "-o", "jsonpath={.metadata.uid}");
    startSlowly("drained");
    const hasRecord = () => listRecords("drained").length > 0;
    await waitFor(hasRecord, { what: "the first record of a pair", seconds: 180, everyMilliseconds: 100 });
    const [first, launched] = [pods("drained", ".metadata.name"), uid()];
    const log = followLog(first);
    field.kubectl("delete", "pod", first);
    assert.ok(listRecords("drained").length < pairs.length, "it was in the middle");
    assert.match(
      await log,
      /"severity":"WARNING".*SIGTERM: exits with [01] pairs? running and \d waiting\. Continue with --run drained/,
    );
    await waitForEnd("drained");
    for (const pair of pairs) assert.ok(existsSync(join(field.output, nameOutputs(pair).manifest)), pair);
    // One that had found the lease of the first would have ended with 75, and a third one would be there.
    assert.equal(pods("drained", ".status.containerStatuses[0].state.terminated.exitCode"), "0");
    assert.notEqual(pods("drained", ".metadata.name"), first);
    assert.equal(uid(), launched, "the same Job of workers");
    assert.equal(pods("widemerge-drained-0", ".metadata.name").split(" ").length, pairs.length);
    assert.equal(listRecords("drained").length, pairs.length, listRecords("drained").join());
  });

  test("deleting the controller's Job stops the run: its workers' Job goes with it", () => {
    for (const pair of pairs) rmSync(join(field.output, nameOutputs(pair).manifest), { force: true });
    startSlowly("stopped");
    field.kubectl("wait", "--for=create", "job/widemerge-stopped-0", "--timeout=60s");
    field.kubectl("delete", "job", "stopped");
    field.kubectl("wait", "--for=delete", "job/widemerge-stopped-0", "--timeout=90s");
    field.kubectl("wait", "--for=delete", "pod", "-l", "job-name=widemerge-stopped-0", "--timeout=90s");
    assert.ok(
      pairs.some((pair) => !existsSync(join(field.output, nameOutputs(pair).manifest))),
      "in the middle",
    );
  });

  test("a pair that is refused fails the Job at once, and its pod says why", async () => {
    rmSync(join(field.input, "usdjpy/_COMPLETE"));
    rmSync(join(field.output, nameOutputs("usdjpy").manifest), { force: true });
    field.kubectl("create", "job", "refused", "--from=cronjob/nightly");
    await waitForEnd("refused", "Failed");
    const path = "{.items[*].status.containerStatuses[0].state.terminated['exitCode','message']}";
    const told = field.kubectl("get", "pods", "-l", "job-name=refused", "-o", `jsonpath=${path}`);
    assert.match(told, /^3 .*usdjpy.*_COMPLETE/s);
    assert.equal(told.match(/"state":"failed"/g)?.length, 1, `once: ${told}`);
    writeFileSync(join(field.input, "usdjpy/_COMPLETE"), "");
  });
});
