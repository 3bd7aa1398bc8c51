import type { V1Job, V1Pod } from "@kubernetes/client-node";
import { type Apis, createApis, type KubeConfig, type Library, readConfig } from "./connect.ts";
import { type ApiRequest, statusOf, toApiFailure } from "./errors.ts";
import { labels } from "./names.ts";
import { type WatchEnd, type WatchEvent, watchChanges } from "./watch.ts";

export type {
  V1Container,
  V1EnvVar,
  V1Job,
  V1JobSpec,
  V1ObjectMeta,
  V1Pod,
  V1PodFailurePolicy,
  V1PodSpec,
  V1Toleration,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";

/** A list at one moment; a watch from its `version` on misses no later change. */
export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly version: string;
}

/** Which launches of a run to watch, from which version on, and for how long. */
export interface WatchRequest {
  readonly run: string;
  readonly numbers: readonly number[];
  readonly version: string;
  readonly seconds: number;
  readonly onEvent: (event: WatchEvent) => void;
}

/** The few requests about Jobs in one namespace. Each throws a Failure that names the missing permission or other cause. */
export class KubernetesClient {
  readonly #library: Library;
  readonly #config: KubeConfig;
  readonly #apis: Apis;
  readonly #namespace: string;

  /** Takes the library as an argument: it takes a second and 80 MiB to load, so it is loaded when it is needed. */
  constructor(library: Library, namespace: string, context: string | undefined) {
    this.#library = library;
    this.#config = readConfig(library, context);
    this.#apis = createApis(library, this.#config);
    this.#namespace = namespace;
  }

  /** False if a Job of this name exists already. With `dryRun` the server checks everything and stores nothing. */
  async createJob(body: V1Job, dryRun: boolean): Promise<boolean> {
    const namespace = this.#namespace;
    const check = dryRun ? { dryRun: "All" } : {};
    const parameters = { namespace, body, fieldManager: "widemerge", fieldValidation: "Strict", ...check };
    const job = await this.#ask("create", "jobs", 409, () => this.#apis.batch.createNamespacedJob(parameters));
    return job !== undefined;
  }

  /** The Jobs of some launches of a run. */
  async listJobs(run: string, numbers: readonly number[]): Promise<Listed<V1Job>> {
    const parameters = { namespace: this.#namespace, labelSelector: selectLaunches(run, numbers) };
    const list = await this.#send("list", "jobs", () => this.#apis.batch.listNamespacedJob(parameters));
    return toListed(list);
  }

  /** The pods of some launches of a run, also where the Job is gone. */
  async listPods(run: string, numbers: readonly number[]): Promise<Listed<V1Pod>> {
    const parameters = { namespace: this.#namespace, labelSelector: selectLaunches(run, numbers) };
    const list = await this.#send("list", "pods", () => this.#apis.core.listNamespacedPod(parameters));
    return toListed(list);
  }

  /** False without the permission. A label is for people, so no other error is a failure. */
  async labelPod(name: string, pair: string): Promise<boolean> {
    const [library, namespace] = [this.#library, this.#namespace];
    const body = { metadata: { labels: { [labels.pair]: pair } } };
    const merge = library.setHeaderOptions("Content-Type", library.PatchStrategy.MergePatch);
    try {
      await this.#apis.core.patchNamespacedPod({ name, namespace, body }, merge);
      return true;
    } catch (error) {
      return statusOf(error) !== 403;
    }
  }

  /** Deletes a Job and its pods; harmless where there is none. */
  async deleteJob(name: string): Promise<void> {
    const parameters = { name, namespace: this.#namespace, propagationPolicy: "Foreground" };
    await this.#ask("delete", "jobs", 404, () => this.#apis.batch.deleteNamespacedJob(parameters));
  }

  /** Streams changes until the stream ends, after `seconds` or a little later. */
  watch(
    resource: ApiRequest["resource"],
    { run, numbers, version, seconds, onEvent }: WatchRequest,
    signal: AbortSignal,
  ): Promise<WatchEnd> {
    const group = resource === "jobs" ? "/apis/batch/v1" : "/api/v1";
    const query = {
      labelSelector: selectLaunches(run, numbers),
      resourceVersion: version,
      timeoutSeconds: Math.max(1, Math.ceil(seconds)),
      // The version then goes on although nothing changes.
      allowWatchBookmarks: "true",
    };
    const path = `${group}/namespaces/${encodeURIComponent(this.#namespace)}/${resource}`;
    return watchChanges({ library: this.#library, config: this.#config }, path, query, onEvent, signal);
  }

  /** The answer, or undefined for the one HTTP status that is expected. */
  #ask<Answer>(
    verb: ApiRequest["verb"],
    resource: ApiRequest["resource"],
    expected: number,
    request: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    return this.#send(verb, resource, async () => {
      try {
        return await request();
      } catch (error) {
        if (statusOf(error) === expected) return undefined;
        throw error;
      }
    });
  }

  async #send<Answer>(
    verb: ApiRequest["verb"],
    resource: ApiRequest["resource"],
    request: () => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await request();
    } catch (error) {
      throw toApiFailure(error, { verb, resource, namespace: this.#namespace });
    }
  }
}

/** Connects to one namespace. @throws Failure (usage) when no cluster is configured. */
export async function connectKubernetes(namespace: string, context: string | undefined): Promise<KubernetesClient> {
  return new KubernetesClient(await import("@kubernetes/client-node"), namespace, context);
}

/** One selector for Jobs and pods: both have the labels. */
function selectLaunches(run: string, numbers: readonly number[]): string {
  return `${labels.run}=${run},${labels.launch} in (${numbers.join(",")})`;
}

function toListed<Item>(list: {
  readonly items: readonly Item[];
  readonly metadata?: { readonly resourceVersion?: string };
}): Listed<Item> {
  const version = list.metadata?.resourceVersion;
  if (version === undefined) throw new Error("the API server returned a list without a version");
  return { items: list.items, version };
}
