/** What the tests on the real cluster share: a namespace with a volume that this machine sees too, kubectl, the image. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import type { WorkerEnvironment } from "../../src/backend/backend.ts";
import type { KubernetesOptions } from "../../src/backend/kubernetes/options.ts";
import { kubernetesEntries } from "../../src/config/kubernetes.ts";
import type { Launch } from "../../src/model/run.ts";

export const checkout = new URL("../..", import.meta.url).pathname;
export const image = "localhost/widemerge:test";

/** Why the tests are skipped; false on the cluster of scripts/cluster.sh, whatever else KUBECONFIG may name. */
export function whySkipped(): string | false {
  const context = spawnSync("kubectl", ["config", "current-context"], { encoding: "utf8" });
  const ours = process.env.KUBECONFIG !== undefined && context.stdout?.trim() === "widemerge-test";
  return ours ? false : "no cluster of the tests: scripts/cluster.sh run node --test test/cluster/*.test.ts";
}

/** One namespace of the cluster, under the restricted security standard, and a folder that its pods see as well. */
export class Field {
  readonly namespace: string;
  /** The same path here and in the pods. */
  folder = "";

  constructor(name: string) {
    this.namespace = `${name}-${process.pid}`;
  }

  /** A namespace without a volume. */
  openNamespace(): void {
    this.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: this.namespace, labels: restricted } });
    this.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=30s");
  }

  closeNamespace(): void {
    this.kubectl("delete", "namespace", this.namespace, "--timeout=120s");
  }

  open(): void {
    this.folder = mkdtempSync(join(tmpdir(), "widemerge-cluster-"));
    chmodSync(this.folder, 0o777);
    execFileSync(join(checkout, "scripts/cluster.sh"), ["own-image", image], { stdio: "pipe" });
    this.openNamespace();
    const claim = { accessModes: ["ReadWriteMany"], storageClassName: "" };
    const owner = { name: "data", namespace: this.namespace };
    const capacity = { storage: "1Gi" };
    this.apply({
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: this.namespace },
      spec: { ...claim, capacity, claimRef: owner, hostPath: { path: this.folder } },
    });
    this.apply({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: owner,
      spec: { ...claim, volumeName: this.namespace, resources: { requests: capacity } },
    });
  }

  close(): void {
    this.closeNamespace();
    this.kubectl("delete", "persistentvolume", this.namespace, "--timeout=60s");
    rmSync(this.folder, { recursive: true, force: true });
  }

  kubectl(...args: readonly string[]): string {
    return execFileSync("kubectl", ["-n", this.namespace, ...args], { encoding: "utf8", stdio: "pipe" });
  }

  apply(manifest: object): void {
    const input = JSON.stringify(manifest);
    execFileSync("kubectl", ["-n", this.namespace, "apply", "-f", "-"], { input, stdio: "pipe" });
  }

  /** Asks the API server to evict a pod, as a drained node does. */
  evict(pod: string): void {
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace: this.namespace } };
    const path = `/api/v1/namespaces/${this.namespace}/pods/${pod}/eviction`;
    execFileSync("kubectl", ["create", "--raw", path, "-f", "-"], { input: JSON.stringify(eviction), stdio: "pipe" });
  }

  /** Real checkpoints of these pairs, readable for the pods' user. */
  sample(pairs: readonly string[], ...flags: readonly string[]): void {
    const args = ["sample", "--out", this.input, "--pairs", pairs.join(","), ...flags];
    execFileSync(process.execPath, ["--no-warnings", join(checkout, "src/cli.ts"), ...args], { stdio: "pipe" });
    execFileSync("chmod", ["-R", "a+rX", this.input]);
    if (existsSync(this.output)) return;
    mkdirSync(this.output);
    chmodSync(this.output, 0o777);
  }

  get input(): string {
    return join(this.folder, "checkpoints");
  }

  get output(): string {
    return join(this.folder, "training");
  }

  get options(): KubernetesOptions {
    const { namespace } = this;
    const volumeClaim = `data:${this.folder}`;
    return v.parse(v.object(kubernetesEntries), { namespace, image, imagePullPolicy: "Never", cpu: 0.5, volumeClaim });
  }

  get environment(): WorkerEnvironment {
    return { WIDEMERGE_INPUT: this.input, WIDEMERGE_OUTPUT: this.output, WIDEMERGE_SYNC: "false" };
  }

  /** Where a pod finds the API server. */
  get door(): string {
    return join(this.folder, "in-cluster.kubeconfig");
  }

  /** Lets pods reach the API server, and writes down for them where it is; who they are, their own account's token says. */
  async openDoor(): Promise<ChildProcess> {
    const config = JSON.parse(this.kubectl("config", "view", "--raw", "--flatten", "--minify", "-o", "json"));
    const { cluster } = config.clusters[0];
    const relay = new URL("relay.ts", import.meta.url).pathname;
    const args = ["--no-warnings", relay, hostAddress, new URL(cluster.server).port];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [port] = await once(child.stdout, "data");
    cluster.server = `https://${hostAddress}:${String(port).trim()}`;
    cluster["tls-server-name"] = "localhost";
    const tokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token";
    config.users[0].user = { "auth-provider": { name: "tokenFile", config: { tokenFile } } };
    writeFileSync(this.door, JSON.stringify(config));
    return child;
  }

  /** The kubeconfig of a service account that may do what these rules say and nothing else. */
  restrict(name: string, rules: readonly object[]): string {
    this.kubectl("create", "serviceaccount", name);
    this.apply({ apiVersion: rbac, kind: "Role", metadata: { name }, rules });
    const subject = { kind: "ServiceAccount", name, namespace: this.namespace };
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name };
    this.apply({ apiVersion: rbac, kind: "RoleBinding", metadata: { name }, subjects: [subject], roleRef });
    const config = JSON.parse(this.kubectl("config", "view", "--raw", "--flatten", "-o", "json"));
    config.users[0].user = { token: this.kubectl("create", "token", name).trim() };
    const path = join(this.folder, `${name}.kubeconfig`);
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }
}

/** The address of this machine that pods reach; see test/cluster/lib.sh. */
const hostAddress = "10.239.17.1";

const rbac = "rbac.authorization.k8s.io/v1";
const restricted = { "pod-security.kubernetes.io/enforce": "restricted" };

/** A launch of these pairs with half a GiB each. */
export function launchOf(run: string, pairs: readonly string[], change: Partial<Launch> = {}): Launch {
  return {
    run,
    number: 0,
    tasks: pairs.map((pair, index) => ({ index, pair })),
    ceilingBytes: 512 * 2 ** 20,
    parallelism: 3,
    spot: false,
    ...change,
  };
}
