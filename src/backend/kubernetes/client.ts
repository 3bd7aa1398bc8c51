import type { V1Job, V1Pod } from "@kubernetes/client-node";
import { type Apis, createApis, type KubeConfig, type Library, readConfig } from "./connect.ts";
import { type ApiRequest, statusOf, toApiFailure } from "./errors.ts";
import { jobNameLabel, labels } from "./names.ts";
import { type WatchEnd, watchOnce } from "./watch.ts";

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

/** A list as it was at one moment; a watch from `version` on misses nothing that came after it. */
export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly version: string;
}

/**
 * The few requests about a launch's Job, in one namespace. Each throws a Failure that says which permission, or what
 * else, is missing.
 */
export class KubernetesClient {
  private readonly library: Library;
  private readonly config: KubeConfig;
  private readonly apis: Apis;
  private readonly namespace: string;

  /** Takes the library as an argument: loading it takes a second and some 80 MiB, so that is left until it is needed. */
  constructor(library: Library, namespace: string, context: string | undefined) {
    this.library = library;
    this.config = readConfig(library, context);
    this.apis = createApis(library, this.config);
    this.namespace = namespace;
  }

  /** False when a Job of this name is there already. With `dryRun` the server checks everything and keeps nothing. */
  async createJob(body: V1Job, dryRun: boolean): Promise<boolean> {
    const { namespace } = this;
    const check = dryRun ? { dryRun: "All" } : {};
    const parameters = { namespace, body, fieldManager: "widemerge", fieldValidation: "Strict", ...check };
    const job = await this.ask("create", "jobs", 409, () => this.apis.batch.createNamespacedJob(parameters));
    return job !== undefined;
  }

  /** The Job of that name, or none. */
  async listJobs(name: string): Promise<Listed<V1Job>> {
    const parameters = { namespace: this.namespace, ...selectJob(name) };
    const list = await this.ask("list", "jobs", undefined, () => this.apis.batch.listNamespacedJob(parameters));
    return { items: list?.items ?? [], version: list?.metadata?.resourceVersion ?? "" };
  }

  /** The pods of the Job of that name, whatever became of the Job. */
  async listPods(name: string): Promise<Listed<V1Pod>> {
    const parameters = { namespace: this.namespace, ...selectPods(name) };
    const list = await this.ask("list", "pods", undefined, () => this.apis.core.listNamespacedPod(parameters));
    return { items: list?.items ?? [], version: list?.metadata?.resourceVersion ?? "" };
  }

  /** False when this may not be done. A label is for people: whatever else goes wrong is no failure. */
  async labelPod(name: string, pair: string): Promise<boolean> {
    const { library, namespace } = this;
    const body = { metadata: { labels: { [labels.pair]: pair } } };
    const merge = library.setHeaderOptions("Content-Type", library.PatchStrategy.MergePatch);
    try {
      await this.apis.core.patchNamespacedPod({ name, namespace, body }, merge);
      return true;
    } catch (error) {
      return statusOf(error) !== 403;
    }
  }

  /** Deletes a Job and its pods; harmless where there is none. */
  async deleteJob(name: string): Promise<void> {
    const parameters = { name, namespace: this.namespace, propagationPolicy: "Foreground" };
    await this.ask("delete", "jobs", 404, () => this.apis.batch.deleteNamespacedJob(parameters));
  }

  /** Returns with the first change since `version`, or when the stream ends, after `seconds` or a little later. */
  watch(
    resource: ApiRequest["resource"],
    name: string,
    version: string,
    seconds: number,
    signal: AbortSignal,
  ): Promise<WatchEnd> {
    const group = resource === "jobs" ? "/apis/batch/v1" : "/api/v1";
    const query = {
      ...(resource === "jobs" ? selectJob(name) : selectPods(name)),
      resourceVersion: version,
      timeoutSeconds: Math.max(1, Math.ceil(seconds)),
    };
    const path = `${group}/namespaces/${encodeURIComponent(this.namespace)}/${resource}`;
    return watchOnce(this.library, this.config, path, query, signal);
  }

  /** The answer, or undefined for the one refusal that is expected. */
  private async ask<Answer>(
    verb: ApiRequest["verb"],
    resource: ApiRequest["resource"],
    expected: number | undefined,
    send: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    try {
      return await send();
    } catch (error) {
      if (statusOf(error) === expected) return undefined;
      throw toApiFailure(error, { verb, resource, namespace: this.namespace });
    }
  }
}

/** Connects to one namespace. @throws Failure (usage) when no cluster is configured. */
export async function connectKubernetes(namespace: string, context: string | undefined): Promise<KubernetesClient> {
  return new KubernetesClient(await import("@kubernetes/client-node"), namespace, context);
}

/** A list with a selector, not a read by name: its version is the present one, and a watch can go on from there. */
function selectJob(name: string): { readonly fieldSelector: string } {
  return { fieldSelector: `metadata.name=${name}` };
}

function selectPods(name: string): { readonly labelSelector: string } {
  return { labelSelector: `${jobNameLabel}=${name}` };
}
