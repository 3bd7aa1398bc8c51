import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure, toFailure } from "../../model/failure.ts";
import { cloudRunMemory, countCloudRunCpus } from "../../model/platform-limits.ts";
import type { Handle, Launch, TaskStatus } from "../../model/run.ts";
import type { Backend, Wait } from "../backend.ts";
import { type CloudRunClient, connectCloudRun, type Job } from "./client.ts";
import { buildJob, memoryOf, type WorkerEnvironment } from "./job.ts";
import { annotations, indexVariable, jobOfExecution, nameJob, nameParent } from "./names.ts";
import type { CloudRunOptions } from "./options.ts";
import { translateStatus } from "./status.ts";

/** Milliseconds between two looks at an execution: there is no watch, and the API counts requests. */
const firstPause = 1000;
const longestPause = 10_000;
/** Tasks have 10 seconds to end. */
const cancelLimit = 120_000;

export type Predict = () => Promise<number | undefined>;

/**
 * Carries a launch out as one Cloud Run job with one execution, one task a pair. `environment` is what its workers are
 * given; `predict` tells how much memory, in bytes, a plan needs: it is asked only where a launch wants too much.
 */
export function createCloudRunBackend(
  options: CloudRunOptions,
  environment: WorkerEnvironment,
  predict: Predict = async () => undefined,
): Backend {
  return new CloudRunBackend(options, environment, predict);
}

class CloudRunBackend implements Backend {
  readonly name = "cloudrun";
  readonly indexVariable = indexVariable;
  private readonly options: CloudRunOptions;
  private readonly environment: WorkerEnvironment;
  private readonly predict: Predict;
  private readonly clients = new Map<string, Promise<CloudRunClient>>();
  /** What was last told of each execution, by its name. */
  private readonly told = new Map<string, readonly TaskStatus[]>();

  constructor(options: CloudRunOptions, environment: WorkerEnvironment, predict: Predict) {
    this.options = options;
    this.environment = environment;
    this.predict = predict;
  }

  async submit(launch: Launch): Promise<Handle> {
    const need = launch.ceilingBytes > cloudRunMemory.mostBytes ? await this.predict() : undefined;
    const job = buildJob(launch, this.options, this.environment, need);
    const { project = "", region = "" } = this.options;
    const client = await this.connect(project);
    const name = `${nameParent(project, region)}/jobs/${nameJob(launch)}`;
    const valid = await client.createJob(region, nameJob(launch), job, true);
    if (valid) await createOrClean(client, region, launch, job, name);
    return { backend: "cloudrun", name: await startOnce(client, name, job), launch };
  }

  async status(handle: Handle, wait?: Wait): Promise<readonly TaskStatus[]> {
    const told = this.told.get(handle.name);
    if (wait === undefined || told === undefined) return this.look(handle);
    const limit = performance.now() + wait.milliseconds;
    for (let next = firstPause; ; next = Math.min(2 * next, longestPause)) {
      await pause(Math.min(next, limit - performance.now()), wait.signal);
      const statuses = await this.look(handle);
      if (wait.signal.aborted || performance.now() >= limit || !isDeepStrictEqual(statuses, told)) return statuses;
    }
  }

  async cancel(handle: Handle): Promise<void> {
    const client = await this.connect(projectOf(handle));
    const job = jobOfExecution(handle.name);
    const executions = (await client.listExecutions(job)) ?? [];
    const names = executions.flatMap(({ name, completionTime }) => (name && !completionTime ? [name] : []));
    await Promise.all(names.map((name) => stopExecution(client, name)));
    // How it ended goes with the job: the last look is kept.
    if (executions.length > 0) await this.look(handle);
    await client.deleteJob(job);
  }

  /** Once a job is deleted, what was last seen of its tasks is all there is. */
  private async look({ name, launch }: Handle): Promise<readonly TaskStatus[]> {
    const client = await this.connect(projectOf({ name }));
    const execution = await client.getExecution(name);
    const tasks = execution === undefined ? [] : await client.listTasks(name);
    const vcpu = countCloudRunCpus(this.options.cpu, memoryOf(launch));
    const found = translateStatus(launch, execution, tasks, { vcpu });
    const told = this.told.get(name);
    const statuses = execution === undefined && told !== undefined ? told.map(end) : found;
    this.told.set(name, statuses);
    return statuses;
  }

  private connect(project: string): Promise<CloudRunClient> {
    const known = this.clients.get(project);
    if (known !== undefined) return known;
    const client = connectCloudRun(project, this.options);
    this.clients.set(project, client);
    client.catch(() => this.clients.delete(project));
    return client;
  }
}

/** A job that can never run would only stand in the way of the next one of its name. */
async function createOrClean(
  client: CloudRunClient,
  region: string,
  launch: Launch,
  job: Job,
  name: string,
): Promise<void> {
  try {
    await client.createJob(region, nameJob(launch), job, false);
  } catch (error) {
    if (toFailure(error).exitCode !== ExitCode.transient) await client.deleteJob(name).catch(() => undefined);
    throw error;
  }
}

/** The job's first execution; starts it where there is none. @throws Failure (usage) for somebody else's job. */
async function startOnce(client: CloudRunClient, name: string, wanted: Job): Promise<string> {
  const found = await client.getJob(name);
  checkSame(name, wanted, found);
  const [first] = (await client.listExecutions(name)) ?? [];
  if (first?.name) return first.name;
  return client.runJob(name, found?.etag ?? "");
}

function checkSame(name: string, wanted: Job, found: Job | undefined): void {
  if (found === undefined || found.deleteTime)
    throw new Failure(ExitCode.transient, [
      { what: `job ${name} is being deleted`, found: "a job of this name that goes", fix: "run again in a minute" },
    ]);
  const digests = [wanted, found].map((job) => job.annotations?.[annotations.digest]);
  if (digests[0] === digests[1]) return;
  throw new Failure(ExitCode.usage, [
    {
      what: `job ${name} is there already with other settings`,
      found: `digest ${digests[1] ?? "none"}, wanted ${digests[0]}`,
      fix: "choose another run id, or cancel the run that this job belongs to",
    },
  ]);
}

/** Returns when nothing of it runs any more. */
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
  throw new Failure(ExitCode.transient, [
    { what: `an execution still runs after ${cancelLimit / 1000} seconds`, found: name, fix },
  ]);
}

/** Nothing of a task goes on without its execution. */
function end(status: TaskStatus): TaskStatus {
  return status.state === "waiting" || status.state === "running" ? { ...status, state: "cancelled" } : status;
}

function projectOf({ name }: Pick<Handle, "name">): string {
  return name.split("/")[1] ?? "";
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return;
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
