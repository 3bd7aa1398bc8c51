import type { protos } from "@google-cloud/run";
import { type ApiRequest, Code, codeOf, toApiFailure } from "./errors.ts";
import { nameParent, shortName } from "./names.ts";
import type { CloudRunOptions } from "./options.ts";

type Library = typeof import("@google-cloud/run");
type ClientOptions = NonNullable<ConstructorParameters<Library["JobsClient"]>[0]>;

export type Job = protos.google.cloud.run.v2.IJob;
export type TaskTemplate = protos.google.cloud.run.v2.ITaskTemplate;
export type EnvVar = protos.google.cloud.run.v2.IEnvVar;
export type Execution = protos.google.cloud.run.v2.IExecution;
export type Task = protos.google.cloud.run.v2.ITask;

/** A request that hangs longer than this, in milliseconds, counts as a broken connection. */
const requestLimit = 30_000;
/** A job is made, an execution stopped and a job deleted within seconds; all in milliseconds. */
const operationPace = {
  initialRetryDelayMillis: 300,
  retryDelayMultiplier: 1.5,
  maxRetryDelayMillis: 5000,
  totalTimeoutMillis: 180_000,
};
const callOptions = { timeout: requestLimit, longrunning: operationPace };

/** An operation of the server that goes on after its request was answered. */
interface Operation {
  readonly error?: unknown;
  promise(): Promise<unknown>;
}

/**
 * The few requests about a launch's job. Each throws a Failure that says which permission, or what else, is missing.
 * Names are full ones: projects/…/locations/…/jobs/….
 */
export class CloudRunClient {
  private readonly jobs: InstanceType<Library["JobsClient"]>;
  private readonly executions: InstanceType<Library["ExecutionsClient"]>;
  private readonly tasks: InstanceType<Library["TasksClient"]>;
  private readonly project: string;

  constructor(library: Library, project: string, options: ClientOptions) {
    this.jobs = new library.JobsClient(options);
    this.executions = new library.ExecutionsClient(options);
    this.tasks = new library.TasksClient(options);
    this.project = project;
  }

  /** False when a job of this name is there already. With `validateOnly` the server checks everything and keeps nothing. */
  async createJob(region: string, jobId: string, job: Job, validateOnly: boolean): Promise<boolean> {
    const request = { parent: nameParent(this.project, region), jobId, job, validateOnly };
    const action = `${validateOnly ? "accept" : "create"} job ${jobId}`;
    const made = await this.ask(action, "run.jobs.create", [Code.alreadyExists], async () => {
      const [operation] = await this.jobs.createJob(request, callOptions);
      await (validateOnly ? throwError(operation) : operation.promise());
      return true;
    });
    return made ?? false;
  }

  async getJob(name: string): Promise<Job | undefined> {
    const found = await this.ask(`tell of job ${shortName(name)}`, "run.jobs.get", [Code.notFound], () =>
      this.jobs.getJob({ name }, callOptions),
    );
    return found?.[0];
  }

  /** Starts an execution of the job as it was seen (`etag`). Returns its name; it goes on for as long as its tasks do. */
  async runJob(name: string, etag: string): Promise<string> {
    const request = { name, ...(etag === "" ? {} : { etag }) };
    const started = await this.ask(`run job ${shortName(name)}`, "run.jobs.run", [], async () => {
      const [operation] = await this.jobs.runJob(request, callOptions);
      await throwError(operation);
      return operation;
    });
    return nameOf(started?.metadata);
  }

  /** Executions of a job, oldest first; undefined where there is no such job. */
  async listExecutions(parent: string): Promise<readonly Execution[] | undefined> {
    const found = await this.ask(
      `list executions of ${shortName(parent)}`,
      "run.executions.list",
      [Code.notFound],
      () => this.executions.listExecutions({ parent }, callOptions),
    );
    return found?.[0].toSorted((left, right) => (ageKey(left) < ageKey(right) ? -1 : 1));
  }

  async getExecution(name: string): Promise<Execution | undefined> {
    const found = await this.ask(`tell of ${shortName(name)}`, "run.executions.get", [Code.notFound], () =>
      this.executions.getExecution({ name }, callOptions),
    );
    return found?.[0];
  }

  /** Tasks of an execution; none where there is no such execution. */
  async listTasks(parent: string): Promise<readonly Task[]> {
    const found = await this.ask(`list tasks of ${shortName(parent)}`, "run.tasks.list", [Code.notFound], () =>
      this.tasks.listTasks({ parent }, callOptions),
    );
    return found?.[0] ?? [];
  }

  /** Harmless where there is no such execution, and where it is over. */
  async cancelExecution(name: string): Promise<void> {
    const over = [Code.notFound, Code.failedPrecondition];
    await this.ask(`cancel ${shortName(name)}`, "run.executions.cancel", over, async () => {
      const [operation] = await this.executions.cancelExecution({ name }, callOptions);
      await operation.promise();
    });
  }

  /** Deletes a job and its executions; harmless where there is none. */
  async deleteJob(name: string): Promise<void> {
    await this.ask(`delete job ${shortName(name)}`, "run.jobs.delete", [Code.notFound], async () => {
      const [operation] = await this.jobs.deleteJob({ name }, callOptions);
      await operation.promise();
    });
  }

  /** The answer, or undefined for a refusal that is expected. */
  private async ask<Answer>(
    action: ApiRequest["action"],
    permission: ApiRequest["permission"],
    expected: readonly number[],
    send: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    try {
      return await send();
    } catch (error) {
      if (expected.includes(codeOf(error) ?? -1)) return undefined;
      throw toApiFailure(error, { action, permission, project: this.project });
    }
  }
}

/**
 * Connects to Cloud Run in one project; loading its library takes a moment, so that is left until it is needed.
 * @throws Failure (input) where there are no credentials.
 */
export async function connectCloudRun(project: string, options: CloudRunOptions): Promise<CloudRunClient> {
  const library = await import("@google-cloud/run");
  const { cloudRunEndpoint } = options;
  return new CloudRunClient(
    library,
    project,
    cloudRunEndpoint === undefined ? await logIn(project) : await trust(cloudRunEndpoint),
  );
}

/** Clients that find no credentials themselves end the process: they are found first, once for all of them. */
async function logIn(project: string): Promise<ClientOptions> {
  const { GoogleAuth } = await import("google-gax");
  const auth = new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] });
  try {
    await auth.getClient();
  } catch (error) {
    throw toApiFailure(error, { action: "let this user in", permission: "", project });
  }
  return { auth };
}

async function trust(endpoint: string): Promise<ClientOptions> {
  const { grpc } = await import("google-gax");
  const [apiEndpoint = "", port] = endpoint.split(":");
  return { apiEndpoint, port: Number(port), sslCreds: grpc.credentials.createInsecure() };
}

/** An operation that has failed already says so before it is waited for. */
async function throwError({ error }: Operation): Promise<void> {
  if (error instanceof Error) throw error;
}

/** The execution that an operation tells of. */
function nameOf(metadata: object | null | undefined): string {
  return metadata && "name" in metadata && typeof metadata.name === "string" ? metadata.name : "";
}

function ageKey({ createTime, name }: Execution): string {
  return `${String(createTime?.seconds ?? 0).padStart(12, "0")}.${String(createTime?.nanos ?? 0).padStart(9, "0")} ${name}`;
}
