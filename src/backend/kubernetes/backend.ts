import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import type { Handle, Launch, LaunchStatus, TaskStatus } from "../../model/run.ts";
import type { Backend, WorkerEnvironment } from "../backend.ts";
import type { PodSeen } from "./attempt.ts";
import { connectKubernetes, type KubernetesClient, type V1Job, type V1Pod } from "./client.ts";
import { buildJob } from "./job.ts";
import { annotations, isLabelValue, jobNameLabel, labels, nameJob } from "./names.ts";
import type { KubernetesOptions } from "./options.ts";
import { countCpus } from "./pod.ts";
import { Snapshot } from "./snapshot.ts";
import { indexOf } from "./status.ts";
import { type OpenWatch, waitForChange } from "./wait.ts";
import type { WatchEvent } from "./watch.ts";

/** Pods that get the name of their pair after one look; the others get it after the next. */
const labelsAtOnce = 50;
/** Milliseconds. Pods have 25 seconds to end; a node that does not answer keeps them longer. */
const cancelLimit = 180_000;
/** Milliseconds after which Jobs and pods are listed again: a watch can be silent although it is broken. */
const listEvery = 30_000;
/** Milliseconds between two looks while changes come one after the other, and for the rest of a burst of changes. */
const shortestWait = 1000;
const settle = 250;

/** What is known of the Jobs and pods of a run; times in milliseconds on the monotonic clock. */
interface Known {
  readonly snapshot: Snapshot;
  readonly listed: number;
  /** The last look, and what it told of each launch, by number. */
  looked: number;
  told: ReadonlyMap<number, readonly TaskStatus[]>;
  /** Whether a watch has just seen a change, so that the snapshot is as good as a new list. */
  isCurrent: boolean;
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
  readonly #known = new Map<string, Known>();
  /** Labels are for people: without the permission to set them, pods go without. */
  #mayLabel = true;

  constructor(options: KubernetesOptions, environment: WorkerEnvironment) {
    this.#options = options;
    this.#environment = environment;
  }

  async check(launch: Launch): Promise<void> {
    buildJob(launch, this.#options, this.#environment);
  }

  async submit(launch: Launch): Promise<Handle> {
    const { namespace } = this.#options;
    const job = buildJob(launch, this.#options, this.#environment);
    const client = await this.#connect(namespace);
    // Only a new list shows the new Job for certain.
    this.#known.delete(groupKey(namespace, launch.run));
    const created = (await client.createJob(job, true)) && (await client.createJob(job, false));
    const handle: Handle = { backend: "kubernetes", name: `${namespace}/${nameJob(launch)}`, launch };
    if (!created) {
      const { items } = await client.listJobs(launch.run, [launch.number]);
      checkSame(job, findJob(items, nameJob(launch)));
    }
    return handle;
  }

  async status(handles: readonly Handle[]): Promise<readonly LaunchStatus[]> {
    const groups = await Promise.all(groupHandles(handles).map((group) => this.#look(group)));
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
      const pods = (await client.listPods(run, [number])).items;
      const left = [
        findJob(jobs, name) ?? [],
        pods.filter((pod) => pod.metadata?.labels?.[jobNameLabel] === name),
      ].flat();
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

  async #look(group: HandleGroup): Promise<readonly LaunchStatus[]> {
    const client = await this.#connect(group.namespace);
    const known = this.#findCurrent(group) ?? (await this.#list(client, group));
    await this.#labelPods(client, group, known.snapshot);
    const found = group.handles.map(({ launch }) => ({ launch, statuses: this.#statusesOf(launch, known.snapshot) }));
    known.isCurrent = false;
    known.looked = performance.now();
    known.told = new Map(found.map(({ launch, statuses }) => [launch.number, statuses]));
    return found;
  }

  /** A snapshot that needs no new list. */
  #findCurrent({ key }: HandleGroup): Known | undefined {
    const known = this.#known.get(key);
    return known?.isCurrent && performance.now() - known.listed < listEvery ? known : undefined;
  }

  /** Lists all launches of a group by two requests, however many they are. */
  async #list(client: KubernetesClient, { key, run, numbers }: HandleGroup): Promise<Known> {
    const pods = await client.listPods(run, numbers);
    const jobs = await client.listJobs(run, numbers);
    const now = performance.now();
    const known = { snapshot: new Snapshot(jobs, pods), listed: now, looked: now, told: new Map(), isCurrent: false };
    this.#known.set(key, known);
    return known;
  }

  #statusesOf(launch: Launch, snapshot: Snapshot): readonly TaskStatus[] {
    return snapshot.statusesOf(launch, { vcpu: countCpus(this.#options.cpu, launch.ceilingBytes) });
  }

  /**
   * Follows all launches of a group by two watches, until a status has changed or a list is due. Most changes of a pod do
   * not concern its status, and cost no request.
   */
  async #watch(group: HandleGroup, signal: AbortSignal): Promise<void> {
    const { key, run, numbers } = group;
    const known = this.#known.get(key);
    if (known === undefined) return;
    const { snapshot, told } = known;
    const client = await this.#connect(group.namespace);
    const hasChanged = (): boolean =>
      group.handles.some(
        ({ launch }) => !isDeepStrictEqual(this.#statusesOf(launch, snapshot), told.get(launch.number)),
      );
    let changed = hasChanged();
    known.isCurrent = changed;
    if (changed) return;
    const watches = (["jobs", "pods"] as const).map(
      (resource): OpenWatch =>
        (seconds, onChange, ended) => {
          const onEvent = (event: WatchEvent): void => {
            snapshot.apply(resource, event);
            changed ||= hasChanged();
            if (changed) onChange();
          };
          return client.watch(
            resource,
            { run, numbers, version: snapshot.versionOf(resource), seconds, onEvent },
            ended,
          );
        },
    );
    const now = performance.now();
    const limits = {
      milliseconds: known.listed + listEvery - now,
      settle: Math.max(settle, known.looked + shortestWait - now),
      signal,
    };
    known.isCurrent = await waitForChange(watches, limits);
  }

  /** All pods of a Job come from one template, so the name of their pair can only be added to them afterwards. */
  async #labelPods(client: KubernetesClient, { handles }: HandleGroup, snapshot: Snapshot): Promise<void> {
    if (!this.#mayLabel) return;
    const unlabelled = handles.flatMap(({ launch }) =>
      snapshot.podsOf(launch).flatMap((pod) => missingLabel(launch, pod)),
    );
    const allowed = await Promise.all(
      unlabelled.slice(0, labelsAtOnce).map(({ name, pair }) => client.labelPod(name, pair)),
    );
    this.#mayLabel = allowed.every(Boolean);
  }
}

/** The label that a pod lacks: one at most. */
function missingLabel(
  launch: Launch,
  { metadata }: PodSeen,
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
  const groups = Map.groupBy(handles, (handle) => groupKey(splitName(handle).namespace, handle.launch.run));
  return [...groups].map(([key, members]) => {
    const at = key.indexOf("/");
    const numbers = members.map(({ launch }) => launch.number).sort((left, right) => left - right);
    return { key, namespace: key.slice(0, at), run: key.slice(at + 1), numbers, handles: members };
  });
}

function groupKey(namespace: string, run: string): string {
  return `${namespace}/${run}`;
}

/** A second submit finds its own Job; a Job of the same name with another content belongs to somebody else. */
function checkSame(wanted: V1Job, found: V1Job | undefined): void {
  const name = wanted.metadata?.name;
  if (found === undefined || found.metadata?.deletionTimestamp !== undefined)
    throw new Failure(ExitCode.transient, [
      { what: `Job ${name} cannot be started now`, found: "it is still being deleted", fix: "run again in a minute" },
    ]);
  const digests = [wanted, found].map(({ metadata }) => metadata?.annotations?.[annotations.digest]);
  if (digests[0] === digests[1]) return;
  throw new Failure(ExitCode.usage, [
    {
      what: `Job ${name} exists already with other settings`,
      found: `digest ${digests[1] ?? "none"} instead of ${digests[0]}`,
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
