import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import type { Handle, Launch, LaunchStatus } from "../../model/run.ts";
import type { Backend, WorkerEnvironment } from "../backend.ts";
import { connectKubernetes, type KubernetesClient, type V1Job, type V1Pod } from "./client.ts";
import { buildJob } from "./job.ts";
import { annotations, isLabelValue, jobNameLabel, labels, nameJob } from "./names.ts";
import type { KubernetesOptions } from "./options.ts";
import { countCpus } from "./pod.ts";
import { indexOf, translateStatus } from "./status.ts";
import { waitForChange } from "./wait.ts";

/** Pods that get the name of their pair after one list; the others get it after the next. */
const labelsAtOnce = 50;
/** Milliseconds. Pods have 25 seconds to end; a node that does not answer keeps them longer. */
const cancelLimit = 180_000;
/** Milliseconds without a change after which Jobs and pods are listed again: a watch can be silent although it is broken. */
const longestWait = 30_000;
/** Milliseconds between two lists while changes come one after the other. */
const shortestWait = 1000;

/** The versions of the last lists of Jobs and pods: the next watches continue from there. */
interface Listing {
  readonly jobs: string;
  readonly pods: string;
  /** Milliseconds on the monotonic clock. */
  readonly at: number;
}

/** Runs a launch as one Indexed Job with one completion index per pair. `environment` is that of its workers. */
export function createKubernetesBackend(options: KubernetesOptions, environment: WorkerEnvironment): Backend {
  return new KubernetesBackend(options, environment);
}

class KubernetesBackend implements Backend {
  readonly name = "kubernetes";
  readonly #options: KubernetesOptions;
  readonly #environment: WorkerEnvironment;
  readonly #clients = new Map<string, Promise<KubernetesClient>>();
  /** By namespace and run. */
  readonly #listings = new Map<string, Listing>();
  /** Labels are for people: without the permission to set them, pods go without. */
  #mayLabel = true;

  constructor(options: KubernetesOptions, environment: WorkerEnvironment) {
    this.#options = options;
    this.#environment = environment;
  }

  async submit(launch: Launch): Promise<Handle> {
    const { namespace } = this.#options;
    const job = buildJob(launch, this.#options, this.#environment);
    const client = await this.#connect(namespace);
    const created = (await client.createJob(job, true)) && (await client.createJob(job, false));
    const handle: Handle = { backend: "kubernetes", name: `${namespace}/${nameJob(launch)}`, launch };
    if (!created) {
      const { items } = await client.listJobs(launch.run, [launch.number]);
      checkSame(job, findJob(items, nameJob(launch)));
    }
    return handle;
  }

  async status(handles: readonly Handle[]): Promise<readonly LaunchStatus[]> {
    const groups = await Promise.all(groupHandles(handles).map((group) => this.#list(group)));
    return groups.flat();
  }

  async wait(handles: readonly Handle[], signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    await Promise.race(groupHandles(handles).map((group) => this.#watch(group, ended)));
    over.abort();
  }

  async cancel(handle: Handle): Promise<void> {
    const { namespace, name } = splitName(handle);
    const { run, number } = handle.launch;
    const client = await this.#connect(namespace);
    await client.deleteJob(name);
    const limit = performance.now() + cancelLimit;
    for (;;) {
      const jobs = (await client.listJobs(run, [number])).items;
      const left = [findJob(jobs, name) ?? [], podsOf((await client.listPods(run, [number])).items, name)].flat();
      if (left.length === 0) return;
      if (performance.now() > limit) throw stillThere(left, namespace);
      await sleep(1000);
    }
  }

  #connect(namespace: string): Promise<KubernetesClient> {
    const known = this.#clients.get(namespace);
    if (known !== undefined) return known;
    const client = connectKubernetes(namespace, this.#options.kubeContext);
    this.#clients.set(namespace, client);
    return client;
  }

  /** All launches of a group by two requests, however many they are. */
  async #list({ key, namespace, run, numbers, handles }: HandleGroup): Promise<readonly LaunchStatus[]> {
    const client = await this.#connect(namespace);
    const pods = await client.listPods(run, numbers);
    const jobs = await client.listJobs(run, numbers);
    this.#listings.set(key, { jobs: jobs.version, pods: pods.version, at: performance.now() });
    const found = handles.map(({ launch }) => {
      const name = nameJob(launch);
      return { launch, job: findJob(jobs.items, name), pods: podsOf(pods.items, name) };
    });
    await this.#labelPods(client, found);
    return found.map(({ launch, job, pods: own }) => {
      const vcpu = countCpus(this.#options.cpu, launch.ceilingBytes);
      return { launch, statuses: translateStatus(launch, job, own, { vcpu }) };
    });
  }

  /** Two watches, however many the launches are. Returns at once if nothing was listed yet. */
  async #watch({ key, namespace, run, numbers }: HandleGroup, signal: AbortSignal): Promise<void> {
    const listing = this.#listings.get(key);
    if (listing === undefined) return;
    const client = await this.#connect(namespace);
    const watches = (["jobs", "pods"] as const).map(
      (resource) => (seconds: number, ended: AbortSignal) =>
        client.watch(resource, { run, numbers, version: listing[resource] }, seconds, ended),
    );
    await waitForChange(watches, { milliseconds: longestWait, signal });
    const early = listing.at + shortestWait - performance.now();
    if (early > 0) await sleep(early, undefined, { signal }).catch(() => undefined);
  }

  /** All pods of a Job come from one template, so the name of their pair can only be added to them afterwards. */
  async #labelPods(
    client: KubernetesClient,
    found: readonly { readonly launch: Launch; readonly pods: readonly V1Pod[] }[],
  ): Promise<void> {
    if (!this.#mayLabel) return;
    const unlabelled = found.flatMap(({ launch, pods }) => pods.flatMap((pod) => missingLabel(launch, pod)));
    const allowed = await Promise.all(
      unlabelled.slice(0, labelsAtOnce).map(({ name, pair }) => client.labelPod(name, pair)),
    );
    this.#mayLabel = allowed.every(Boolean);
  }
}

/** The label that a pod lacks: one at most. */
function missingLabel(
  launch: Launch,
  { metadata }: V1Pod,
): readonly { readonly name: string; readonly pair: string }[] {
  const name = metadata?.name;
  if (metadata === undefined || name === undefined || metadata.deletionTimestamp !== undefined) return [];
  const pair = launch.tasks[indexOf({ metadata })]?.pair;
  if (pair === undefined || metadata.labels?.[labels.pair] === pair || !isLabelValue(pair)) return [];
  return [{ name, pair }];
}

function findJob(jobs: readonly V1Job[], name: string): V1Job | undefined {
  return jobs.find(({ metadata }) => metadata?.name === name);
}

function podsOf(pods: readonly V1Pod[], job: string): readonly V1Pod[] {
  return pods.filter(({ metadata }) => metadata?.labels?.[jobNameLabel] === job);
}

/** Launches that one list and one watch can be asked for. */
interface HandleGroup {
  readonly key: string;
  readonly namespace: string;
  readonly run: string;
  readonly numbers: readonly number[];
  readonly handles: readonly Handle[];
}

/** A handle stays valid if the settings name another namespace later. */
function groupHandles(handles: readonly Handle[]): readonly HandleGroup[] {
  const groups = Map.groupBy(handles, (handle) => `${splitName(handle).namespace}/${handle.launch.run}`);
  return [...groups].map(([key, members]) => {
    const at = key.indexOf("/");
    const numbers = members.map(({ launch }) => launch.number).sort((left, right) => left - right);
    return { key, namespace: key.slice(0, at), run: key.slice(at + 1), numbers, handles: members };
  });
}

/** A second submit finds its own Job; a Job of the same name with another content belongs to somebody else. */
function checkSame(wanted: V1Job, found: V1Job | undefined): void {
  const name = wanted.metadata?.name;
  if (found === undefined || found.metadata?.deletionTimestamp !== undefined)
    throw new Failure(ExitCode.transient, [
      { what: `Job ${name} is being deleted`, found: "a Job of this name that is going", fix: "run again in a minute" },
    ]);
  const digests = [wanted, found].map(({ metadata }) => metadata?.annotations?.[annotations.digest]);
  if (digests[0] === digests[1]) return;
  throw new Failure(ExitCode.usage, [
    {
      what: `Job ${name} exists already with other settings`,
      found: `digest ${digests[1] ?? "none"}, wanted ${digests[0]}`,
      fix: "choose another run id, or cancel the run that this Job belongs to",
    },
  ]);
}

function stillThere(left: readonly (V1Job | V1Pod)[], namespace: string): Failure {
  const names = left.map(({ metadata }) => metadata?.name).join(", ");
  const fix = `look at them with \`kubectl describe -n ${namespace}\`, then cancel again`;
  const what = `Jobs or pods are still there ${cancelLimit / 1000} seconds after they were deleted`;
  return new Failure(ExitCode.transient, [{ what, found: names, fix }]);
}

/** "namespace/job" */
function splitName({ name }: Handle): { readonly namespace: string; readonly name: string } {
  const at = name.indexOf("/");
  return { namespace: name.slice(0, at), name: name.slice(at + 1) };
}
