import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import type { Handle, Launch, TaskStatus } from "../../model/run.ts";
import type { Backend, Wait } from "../backend.ts";
import { connectKubernetes, type KubernetesClient, type V1Job, type V1Pod } from "./client.ts";
import { buildJob } from "./job.ts";
import { annotations, indexVariable, isLabelValue, labels, nameJob } from "./names.ts";
import type { KubernetesOptions } from "./options.ts";
import { countCpus, type WorkerEnvironment } from "./pod.ts";
import { indexOf, translateStatus } from "./status.ts";
import { waitForChange } from "./wait.ts";

/** Pods that get the name of their pair at one look; the others get it at the next. */
const labelsAtOnce = 50;
/** Pods have 25 seconds to end; a node that does not answer keeps them longer. */
const cancelLimit = 180_000;

/** The versions of the last look at a Job and its pods: a wait continues from there. */
interface Seen {
  readonly jobs: string;
  readonly pods: string;
}

/** Carries a launch out as one Indexed Job, one completion index a pair. `environment` is what its workers are given. */
export function createKubernetesBackend(options: KubernetesOptions, environment: WorkerEnvironment): Backend {
  return new KubernetesBackend(options, environment);
}

class KubernetesBackend implements Backend {
  readonly name = "kubernetes";
  readonly indexVariable = indexVariable;
  private readonly options: KubernetesOptions;
  private readonly environment: WorkerEnvironment;
  private readonly clients = new Map<string, Promise<KubernetesClient>>();
  private readonly seen = new Map<string, Seen>();
  /** Labels are for people: where they may not be set, pods go without. */
  private mayLabel = true;

  constructor(options: KubernetesOptions, environment: WorkerEnvironment) {
    this.options = options;
    this.environment = environment;
  }

  async submit(launch: Launch): Promise<Handle> {
    const job = buildJob(launch, this.options, this.environment);
    const client = await this.connect(this.options.namespace);
    const created = (await client.createJob(job, true)) && (await client.createJob(job, false));
    if (!created) checkSame(job, (await client.listJobs(nameJob(launch))).items[0]);
    return { backend: "kubernetes", name: `${this.options.namespace}/${nameJob(launch)}`, launch };
  }

  async status(handle: Handle, wait?: Wait): Promise<readonly TaskStatus[]> {
    const { namespace, name } = splitName(handle);
    const client = await this.connect(namespace);
    const seen = this.seen.get(handle.name);
    if (wait !== undefined && seen !== undefined) await watchFrom(client, name, seen, wait);
    const pods = await client.listPods(name);
    const jobs = await client.listJobs(name);
    this.seen.set(handle.name, { jobs: jobs.version, pods: pods.version });
    await this.labelPods(client, handle.launch, pods.items);
    const vcpu = countCpus(this.options.cpu, handle.launch.ceilingBytes);
    return translateStatus(handle.launch, jobs.items[0], pods.items, { vcpu });
  }

  async cancel(handle: Handle): Promise<void> {
    const { namespace, name } = splitName(handle);
    const client = await this.connect(namespace);
    await client.deleteJob(name);
    const limit = performance.now() + cancelLimit;
    for (;;) {
      const left = [...(await client.listJobs(name)).items, ...(await client.listPods(name)).items];
      if (left.length === 0) return;
      if (performance.now() > limit) throw stillThere(left, namespace);
      await sleep(1000);
    }
  }

  private connect(namespace: string): Promise<KubernetesClient> {
    const known = this.clients.get(namespace);
    if (known !== undefined) return known;
    const client = connectKubernetes(namespace, this.options.kubeContext);
    this.clients.set(namespace, client);
    return client;
  }

  /** All pods of a Job come from one template, so their pair's name can only be added to them afterwards. */
  private async labelPods(client: KubernetesClient, launch: Launch, pods: readonly V1Pod[]): Promise<void> {
    if (!this.mayLabel) return;
    const unnamed = pods.flatMap(({ metadata }) => {
      const pair = launch.tasks[indexOf({ ...(metadata === undefined ? {} : { metadata }) })]?.pair ?? "";
      const name = metadata?.name;
      const wants = metadata?.labels?.[labels.pair] !== pair && isLabelValue(pair);
      return name !== undefined && wants && metadata?.deletionTimestamp === undefined ? [{ name, pair }] : [];
    });
    const allowed = await Promise.all(
      unnamed.slice(0, labelsAtOnce).map(({ name, pair }) => client.labelPod(name, pair)),
    );
    this.mayLabel = allowed.every(Boolean);
  }
}

function watchFrom(client: KubernetesClient, name: string, seen: Seen, wait: Wait): Promise<void> {
  const watches = (["jobs", "pods"] as const).map(
    (resource) => (seconds: number, signal: AbortSignal) =>
      client.watch(resource, name, seen[resource], seconds, signal),
  );
  return waitForChange(watches, wait);
}

/** A second submit finds its own Job; a Job of the same name with another content belongs to somebody else. */
function checkSame(wanted: V1Job, found: V1Job | undefined): void {
  const name = wanted.metadata?.name ?? "";
  if (found === undefined || found.metadata?.deletionTimestamp !== undefined)
    throw new Failure(ExitCode.transient, [
      { what: `Job ${name} is being deleted`, found: "a Job of this name that goes", fix: "run again in a minute" },
    ]);
  const digests = [wanted, found].map(({ metadata }) => metadata?.annotations?.[annotations.digest]);
  if (digests[0] === digests[1]) return;
  throw new Failure(ExitCode.usage, [
    {
      what: `Job ${name} is there already with other settings`,
      found: `digest ${digests[1] ?? "none"}, wanted ${digests[0]}`,
      fix: "choose another run id, or cancel the run that this Job belongs to",
    },
  ]);
}

function stillThere(left: readonly (V1Job | V1Pod)[], namespace: string): Failure {
  const names = left.map(({ metadata }) => metadata?.name).join(", ");
  const fix = `look at them with \`kubectl describe -n ${namespace}\`, then cancel again`;
  return new Failure(ExitCode.transient, [
    { what: `not all is gone after ${cancelLimit / 1000} seconds`, found: names, fix },
  ]);
}

/** "namespace/job": a handle stays valid when the settings name another namespace meanwhile. */
function splitName({ name }: Handle): { readonly namespace: string; readonly name: string } {
  const [namespace = "", job = ""] = name.split("/");
  return { namespace, name: job };
}
