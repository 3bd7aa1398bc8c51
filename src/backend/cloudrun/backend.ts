import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure, toFailure } from "../../model/failure.ts";
import { cloudRunMemory, countCloudRunCpus } from "../../model/platform-limits.ts";
import type { Handle, Launch, LaunchStatus, TaskStatus } from "../../model/run.ts";
import type { Backend, WorkerEnvironment } from "../backend.ts";
import { requireOptions } from "./check.ts";
import { type CloudRunClient, connectCloudRun, type Execution, type Job } from "./client.ts";
import { buildJob, memoryOf } from "./job.ts";
import { annotations, jobOfExecution, nameJob, nameParent, projectOf } from "./names.ts";
import type { CloudRunOptions } from "./options.ts";
import { translateStatus } from "./status.ts";

/** Milliseconds between two looks: there is no watch. The pause doubles while nothing changes. */
const firstPause = 1000;
// A change is seen within ten seconds, the requests themselves included.
const longestPause = 9000;
/** Milliseconds after which tasks are listed although their execution's counts are the same. */
const listEvery = 60_000;
/** Milliseconds. Tasks have 10 seconds to end. */
const cancelLimit = 120_000;

export type Predict = () => Promise<number | undefined>;

/**
 * Runs a launch as one Cloud Run job with one execution and one task per pair. `environment` is that of its workers;
 * `predict` returns the memory in bytes that a plan needs, and is called only if a launch asks for too much.
 */
export function createCloudRunBackend(
  options: CloudRunOptions,
  environment: WorkerEnvironment,
  predict: Predict = async () => undefined,
): Backend {
  return new CloudRunBackend(options, environment, predict);
}

/** The last look at an execution. */
interface Look {
  readonly counts: Counts | undefined;
  readonly statuses: readonly TaskStatus[];
  /** Milliseconds on the monotonic clock, when its tasks were listed. */
  readonly listed: number;
}

class CloudRunBackend implements Backend {
  readonly name = "cloudrun";
  readonly #options: CloudRunOptions;
  readonly #environment: WorkerEnvironment;
  readonly #predict: Predict;
  readonly #clients = new Map<string, Promise<CloudRunClient>>();
  /** By the execution's name. */
  readonly #looks = new Map<string, Look>();
  #pause = firstPause;

  constructor(options: CloudRunOptions, environment: WorkerEnvironment, predict: Predict) {
    this.#options = options;
    this.#environment = environment;
    this.#predict = predict;
  }

  async check(launch: Launch): Promise<void> {
    await this.#build(launch);
  }

  async submit(launch: Launch): Promise<Handle> {
    const job = await this.#build(launch);
    const { project, region } = requireOptions(this.#options);
    const client = await this.#connect(project);
    const name = `${nameParent(project, region)}/jobs/${nameJob(launch)}`;
    const valid = await client.createJob(region, nameJob(launch), job, true);
    if (valid) await createOrClean(client, { region, id: nameJob(launch), name, job });
    this.#pause = firstPause;
    return { backend: "cloudrun", name: await startOnce(client, name, job), launch };
  }

  /** @throws Failure (usage) with everything that would keep the launch from ever running */
  async #build(launch: Launch): Promise<Job> {
    const need = launch.ceilingBytes > cloudRunMemory.mostBytes ? await this.#predict() : undefined;
    return buildJob(launch, this.#options, this.#environment, need);
  }

  async status(handles: readonly Handle[]): Promise<readonly LaunchStatus[]> {
    const before = handles.map(({ name }) => this.#looks.get(name)?.statuses);
    const found = await Promise.all(
      handles.map(async (handle) => ({ launch: handle.launch, statuses: await this.#look(handle) })),
    );
    const quiet = isDeepStrictEqual(
      before,
      found.map(({ statuses }) => statuses),
    );
    this.#pause = quiet ? Math.min(2 * this.#pause, longestPause) : firstPause;
    return found;
  }

  async wait(_handles: readonly Handle[], signal: AbortSignal): Promise<void> {
    await sleep(this.#pause, undefined, { signal }).catch(() => undefined);
  }

  async cancel(handle: Handle): Promise<void> {
    const client = await this.#connect(projectOf(handle.name));
    const job = jobOfExecution(handle.name);
    const executions = (await client.listExecutions(job)) ?? [];
    const names = executions.flatMap(({ name, completionTime }) => (name && !completionTime ? [name] : []));
    await Promise.all(names.map((name) => stopExecution(client, name)));
    // Deleting the job deletes how it ended, so that is read first.
    if (executions.length > 0) await this.#look(handle);
    await client.deleteJob(job);
  }

  /** Lists tasks only if their execution has changed, or after a minute. */
  async #look({ name, launch }: Handle): Promise<readonly TaskStatus[]> {
    const client = await this.#connect(projectOf(name));
    const execution = await client.getExecution(name);
    const last = this.#looks.get(name);
    // Once a job is deleted, the last look at its tasks is all there is.
    if (execution === undefined && last !== undefined) return this.#keep(name, undefined, last.statuses.map(endTask));
    const counts = execution && countTasks(execution);
    const fresh = last !== undefined && performance.now() - last.listed < listEvery;
    if (fresh && isDeepStrictEqual(counts, last.counts)) return last.statuses;
    const tasks = execution === undefined ? [] : await client.listTasks(name);
    const vcpu = countCloudRunCpus(this.#options.cpu, memoryOf(launch));
    return this.#keep(name, counts, translateStatus(launch, execution, tasks, { vcpu }));
  }

  #keep(name: string, counts: Counts | undefined, statuses: readonly TaskStatus[]): readonly TaskStatus[] {
    this.#looks.set(name, { counts, statuses, listed: performance.now() });
    return statuses;
  }

  #connect(project: string): Promise<CloudRunClient> {
    const known = this.#clients.get(project);
    if (known !== undefined) return known;
    const client = connectCloudRun(project, this.#options);
    this.#clients.set(project, client);
    client.catch(() => this.#clients.delete(project));
    return client;
  }
}

/** What changes in an execution whenever one of its tasks starts or ends. */
interface Counts {
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly over: boolean;
}

function countTasks(execution: Execution): Counts {
  return {
    running: execution.runningCount ?? 0,
    succeeded: execution.succeededCount ?? 0,
    failed: execution.failedCount ?? 0,
    cancelled: execution.cancelledCount ?? 0,
    over: Boolean(execution.completionTime || execution.deleteTime),
  };
}

/** A job to create: its id, its full name and its content. */
interface NewJob {
  readonly region: string;
  readonly id: string;
  readonly name: string;
  readonly job: Job;
}

/** Deletes a job that can never run: it would be in the way of the next one of its name. */
async function createOrClean(client: CloudRunClient, { region, id, name, job }: NewJob): Promise<void> {
  try {
    await client.createJob(region, id, job, false);
  } catch (error) {
    if (toFailure(error).exitCode !== ExitCode.transient) await client.deleteJob(name).catch(() => undefined);
    throw error;
  }
}

/** The job's first execution; starts it if there is none. @throws Failure (usage) for somebody else's job. */
async function startOnce(client: CloudRunClient, name: string, wanted: Job): Promise<string> {
  const found = await client.getJob(name);
  checkSame(name, wanted, found);
  const [first] = (await client.listExecutions(name)) ?? [];
  return first?.name ?? client.runJob(name, found?.etag ?? undefined);
}

function checkSame(name: string, wanted: Job, found: Job | undefined): void {
  if (found === undefined || found.deleteTime)
    throw new Failure(ExitCode.transient, [
      { what: `job ${name} cannot be started now`, found: "it is still being deleted", fix: "run again in a minute" },
    ]);
  const digests = [wanted, found].map((job) => job.annotations?.[annotations.digest]);
  if (digests[0] === digests[1]) return;
  throw new Failure(ExitCode.usage, [
    {
      what: `job ${name} exists already with other settings`,
      found: `digest ${digests[1] ?? "none"} instead of ${digests[0]}`,
      fix: "choose another run id, or cancel the run that this job belongs to",
    },
  ]);
}

/** Returns when none of its tasks runs any more. */
async function stopExecution(client: CloudRunClient, name: string): Promise<void> {
  await client.cancelExecution(name);
  const limit = performance.now() + cancelLimit;
  for (;;) {
    const execution = await client.getExecution(name);
    if (execution === undefined || execution.completionTime) return;
    if (performance.now() > limit) break;
    await sleep(firstPause);
  }
  const fix = "look at it in the console, then cancel again";
  const what = `an execution still runs ${cancelLimit / 1000} seconds after it was cancelled`;
  throw new Failure(ExitCode.transient, [{ what, found: name, fix }]);
}

/** No task goes on without its execution. */
function endTask(status: TaskStatus): TaskStatus {
  return status.state === "waiting" || status.state === "running" ? { ...status, state: "cancelled" } : status;
}
