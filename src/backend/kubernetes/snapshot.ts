import type { Launch, TaskStatus } from "../../model/run.ts";
import type { PodSeen } from "./attempt.ts";
import type { Listed } from "./client.ts";
import type { ApiRequest } from "./errors.ts";
import { jobNameLabel, nameJob } from "./names.ts";
import { type JobSeen, type Requested, translateStatus } from "./status.ts";
import type { WatchEvent } from "./watch.ts";

export type Resource = ApiRequest["resource"];

/** An object of either kind, as far as this file reads it. */
interface Named {
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string };
}

/** The Jobs and pods of a run: as they were listed, with the changes that watches have seen since. */
export class Snapshot {
  readonly #jobs: Map<string, JobSeen>;
  readonly #pods: Map<string, PodSeen>;
  readonly #versions: Record<Resource, string>;

  constructor(jobs: Listed<JobSeen>, pods: Listed<PodSeen>) {
    this.#jobs = byName(jobs.items);
    this.#pods = byName(pods.items);
    this.#versions = { jobs: jobs.version, pods: pods.version };
  }

  /** A watch from this version on misses no change. */
  versionOf(resource: Resource): string {
    return this.#versions[resource];
  }

  apply(resource: Resource, { type, object }: WatchEvent): void {
    const { name, resourceVersion } = (object as Named).metadata ?? {};
    if (resourceVersion !== undefined) this.#versions[resource] = resourceVersion;
    if (name === undefined || type === "BOOKMARK") return;
    const items: Map<string, object> = resource === "jobs" ? this.#jobs : this.#pods;
    if (type === "DELETED") items.delete(name);
    else items.set(name, object);
  }

  statusesOf(launch: Launch, requested: Requested): readonly TaskStatus[] {
    return translateStatus(launch, this.#jobs.get(nameJob(launch)), this.podsOf(launch), requested);
  }

  podsOf(launch: Launch): readonly PodSeen[] {
    const job = nameJob(launch);
    return [...this.#pods.values()].filter(({ metadata }) => metadata?.labels?.[jobNameLabel] === job);
  }
}

function byName<Item extends Named>(items: readonly Item[]): Map<string, Item> {
  return new Map(items.flatMap((item) => (item.metadata?.name === undefined ? [] : [[item.metadata.name, item]])));
}
