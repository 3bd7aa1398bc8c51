/** What the Kubernetes of the tests does, and what widemerge's use of it rests on: real containers under real limits. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../support/wait.ts";

const namespace = `platform-${process.pid}`;
const hostAddress = "10.239.17.1";

interface Manifest {
  readonly [key: string]: unknown;
}

/** Never anything but the cluster of scripts/cluster.sh, whatever KUBECONFIG names. */
function findCluster(): boolean {
  if (process.env.KUBECONFIG === undefined) return false;
  const context = spawnSync("kubectl", ["config", "current-context"], { encoding: "utf8" });
  return context.status === 0 && context.stdout.trim() === "widemerge-test";
}

function kubectl(args: readonly string[], input = ""): string {
  return execFileSync("kubectl", ["-n", namespace, ...args], { encoding: "utf8", input, stdio: "pipe" });
}

/** The value of a JSON path, as kubectl prints it. */
function read(what: string, path: string): string {
  return kubectl(["get", ...what.split(" "), "-o", `jsonpath=${path}`]);
}

function refusal(args: readonly string[], input = ""): string {
  const end = spawnSync("kubectl", ["-n", namespace, ...args], { encoding: "utf8", input });
  assert.notEqual(end.status, 0, `kubectl ${args.join(" ")} was not refused`);
  return end.stderr;
}

function probeContainer(args: readonly string[]): Manifest {
  return {
    name: "probe",
    image: "localhost/widemerge-probe:1",
    imagePullPolicy: "Never",
    args,
    resources: { limits: { cpu: "500m", memory: "64Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    },
  };
}

function podSpec(args: readonly string[]): Manifest {
  return {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [probeContainer(args)],
  };
}

/** An Indexed Job that ignores disruptions and does not retry exit code 3. */
function indexedJob(name: string, args: readonly string[], completions: number, retries: number): string {
  const rules = [
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] },
    { action: "FailIndex", onExitCodes: { operator: "In", values: [3] } },
  ];
  return JSON.stringify({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace },
    spec: {
      completionMode: "Indexed",
      completions,
      parallelism: completions,
      backoffLimitPerIndex: retries,
      podReplacementPolicy: "Failed",
      podFailurePolicy: { rules },
      template: { spec: podSpec(args) },
    },
  });
}

/** [reason, exit code] of every pod of one index. */
function ends(job: string, index: number): readonly string[] {
  const state = ".status.containerStatuses[0].state.terminated";
  const pods = `pods -l job-name=${job},batch.kubernetes.io/job-completion-index=${index}`;
  return read(pods, `{range .items[*]}{${state}.reason} {${state}.exitCode}{"\\n"}{end}`).trim().split("\n");
}

const skip = findCluster()
  ? false
  : "no cluster of the tests: scripts/cluster.sh run node --test test/cluster/*.test.ts";

describe("the Kubernetes of the tests", { skip }, () => {
  before(() => {
    kubectl(["create", "namespace", namespace]);
    kubectl(["label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted"]);
    kubectl(["wait", "--for=create", "serviceaccount/default", "--timeout=30s"]);
  });
  after(() => kubectl(["delete", "namespace", namespace, "--wait=false"]));

  test("an Indexed Job: one index completes, one is killed for its memory and retried, one is not retried", () => {
    kubectl(["apply", "-f", "-"], indexedJob("three", ["index", "exit 0", "allocate 200", "exit 3"], 3, 1));
    kubectl(["wait", "--for=condition=Failed", "job/three", "--timeout=120s"]);
    assert.equal(read("job three", "{.status.completedIndexes} {.status.failedIndexes}"), "0 1,2");
    assert.equal(read("job three", '{.status.conditions[?(@.type=="Failed")].reason}'), "FailedIndexes");
    assert.deepEqual(ends("three", 0), ["Completed 0"]);
    // containerd may miss the kernel's word that it was for want of memory: the exit code is there nevertheless.
    const killed = ends("three", 1);
    assert.equal(killed.length, 2);
    for (const end of killed) assert.match(end, /^(OOMKilled|Error) 137$/);
    assert.deepEqual(ends("three", 2), ["Error 3"]);
  });

  test("an eviction is a disruption: the index starts again though it has no retries", () => {
    kubectl(["apply", "-f", "-"], indexedJob("evicted", ["wait"], 1, 0));
    kubectl(["wait", "--for=jsonpath={.status.ready}=1", "job/evicted", "--timeout=60s"]);
    const pod = read("pods -l job-name=evicted", "{.items[0].metadata.name}");
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace } };
    const disrupted = `{.status.conditions[?(@.type=="DisruptionTarget")].reason}`;
    kubectl(
      ["create", "--raw", `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, "-f", "-"],
      JSON.stringify(eviction),
    );
    assert.equal(read(`pod ${pod}`, disrupted), "EvictionByEvictionAPI");
    kubectl(["wait", "--for=delete", `pod/${pod}`, "--timeout=60s"]);
    kubectl(["wait", "--for=jsonpath={.status.ready}=1", "job/evicted", "--timeout=60s"]);
    assert.notEqual(read("pods -l job-name=evicted", "{.items[*].metadata.name}"), pod);
    assert.equal(read("job evicted", "[{.status.failedIndexes}] [{.status.failed}]"), "[] []");
    kubectl(["delete", "job", "evicted", "--wait=false"]);
  });

  test("pod security holds: a pod that asks for more than the restricted profile is refused", () => {
    const pod = { ...podSpec(["exit", "0"]), hostNetwork: true };
    const manifest = { apiVersion: "v1", kind: "Pod", metadata: { name: "greedy" }, spec: pod };
    assert.match(
      refusal(["create", "-f", "-"], JSON.stringify(manifest)),
      /violates PodSecurity "restricted:latest".*host/,
    );
  });

  test("roles hold: a service account may do what its role says and nothing else", () => {
    kubectl(["create", "serviceaccount", "reader"]);
    kubectl(["create", "role", "reader", "--verb=get,list", "--resource=jobs.batch"]);
    kubectl(["create", "rolebinding", "reader", "--role=reader", `--serviceaccount=${namespace}:reader`]);
    const asReader = [`--token=${kubectl(["create", "token", "reader"]).trim()}`];
    kubectl(["get", "jobs", ...asReader]);
    const denied = [refusal(["delete", "jobs", "--all", ...asReader]), refusal(["get", "secrets", ...asReader])];
    for (const text of denied) assert.match(text, /Forbidden.*system:serviceaccount:platform-\d+:reader/);
  });

  test("pods reach servers on this machine", async () => {
    const server = createServer((_, response) => response.end("from the machine"));
    await new Promise<void>((resolve) => server.listen(0, hostAddress, resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const pod = podSpec(["get", `http://${hostAddress}:${port}/`]);
    const manifest = { apiVersion: "v1", kind: "Pod", metadata: { name: "caller" }, spec: pod };
    kubectl(["apply", "-f", "-"], JSON.stringify(manifest));
    const isOver = () => ["Succeeded", "Failed"].includes(read("pod caller", "{.status.phase}"));
    await waitFor(isOver, { what: "the pod's end", everyMilliseconds: 100 });
    server.close();
    assert.equal(kubectl(["logs", "caller"]), "from the machine");
  });
});
