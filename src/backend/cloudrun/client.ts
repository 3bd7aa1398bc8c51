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
/** Milliseconds: a job is created, an execution stopped and a job deleted within seconds. */
const operationPace = {
  initialRetryDelayMillis: 300,
  retryDelayMultiplier: 1.5,
  maxRetryDelayMillis: 5000,
  totalTimeoutMillis: 180_000,
};
/** As many as a run usually has, so that one request lists them all. */
const tasksAPage = 100;
const callOptions = { timeout: requestLimit, longrunning: operationPace };

/** An operation that continues on the server after the request was answered. */
interface Operation {
  readonly error?: unknown;
  promise(): Promise<unknown>;
}

/**
 * The few requests about jobs. Each throws a Failure that names the missing permission or other cause. Names are full
 * ones: projects/…/locations/…/jobs/….
 */
export class CloudRunClient {
  readonly #jobs: InstanceType<Library["JobsClient"]>;
  readonly #executions: InstanceType<Library["ExecutionsClient"]>;
  readonly #tasks: InstanceType<Library["TasksClient"]>;
  readonly #project: string;

  constructor(library: Library, project: string, options: ClientOptions) {
    this.#jobs = new library.JobsClient(options);
    this.#executions = new library.ExecutionsClient(options);
    this.#tasks = new library.TasksClient(options);
    this.#project = project;
  }

  /** False if a job of this name exists already. With `validateOnly` the server checks everything and stores nothing. */
  async createJob(region: string, jobId: string, job: Job, validateOnly: boolean): Promise<boolean> {
    const request = { parent: nameParent(this.#project, region), jobId, job, validateOnly };
    const action = `${validateOnly ? "accept" : "create"} job ${jobId}`;
    const made = await this.#ask(action, "run.jobs.create", [Code.alreadyExists], async () => {
      const [operation] = await this.#jobs.createJob(request, callOptions);
      await (validateOnly ? throwError(operation) : operation.promise());
      return true;
    });
    return made ?? false;
  }

  async getJob(name: string): Promise<Job | undefined> {
    const found = await this.#ask(`read job ${shortName(name)}`, "run.jobs.get", [Code.notFound], () =>
      this.#jobs.getJob({ name }, callOptions),
    );
    return found?.[0];
  }

  /** Starts an execution of this version of the job (`etag`), and returns its name at once. */
  async runJob(name: string, etag: string | undefined): Promise<string> {
    const request = { name, ...(etag === undefined ? {} : { etag }) };
    const started = await this.#ask(`run job ${shortName(name)}`, "run.jobs.run", [], async () => {
      const [operation] = await this.#jobs.runJob(request, callOptions);
      await throwError(operation);
      return operation;
    });
    return nameOf(started?.metadata);
  }

  /** Executions of a job, oldest first; undefined without such a job. */
  async listExecutions(parent: string): Promise<readonly Execution[] | undefined> {
    const found = await this.#ask(
      `list executions of ${shortName(parent)}`,
      "run.executions.list",
      [Code.notFound],
      () => this.#executions.listExecutions({ parent }, callOptions),
    );
    return found?.[0].toSorted((left, right) => (ageKey(left) < ageKey(right) ? -1 : 1));
  }

  async getExecution(name: string): Promise<Execution | undefined> {
    const found = await this.#ask(`read ${shortName(name)}`, "run.executions.get", [Code.notFound], () =>
      this.#executions.getExecution({ name }, callOptions),
    );
    return found?.[0];
  }

  /** Tasks of an execution; none without such an execution. */
  async listTasks(parent: string): Promise<readonly Task[]> {
    const found = await this.#ask(`list tasks of ${shortName(parent)}`, "run.tasks.list", [Code.notFound], () =>
      this.#tasks.listTasks({ parent, pageSize: tasksAPage }, callOptions),
    );
    return found?.[0] ?? [];
  }

  /** Harmless if there is no such execution, or if it is over. */
  async cancelExecution(name: string): Promise<void> {
    const over = [Code.notFound, Code.failedPrecondition];
    await this.#ask(`cancel ${shortName(name)}`, "run.executions.cancel", over, async () => {
      const [operation] = await this.#executions.cancelExecution({ name }, callOptions);
      await operation.promise();
    });
  }

  /** Deletes a job and its executions; harmless if there is none. */
  async deleteJob(name: string): Promise<void> {
    await this.#ask(`delete job ${shortName(name)}`, "run.jobs.delete", [Code.notFound], async () => {
      const [operation] = await this.#jobs.deleteJob({ name }, callOptions);
      await operation.promise();
    });
  }

  /** The answer, or undefined for a gRPC code that is expected. */
  async #ask<Answer>(
    action: ApiRequest["action"],
    permission: ApiRequest["permission"],
    expected: readonly number[],
    send: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    try {
      return await send();
    } catch (error) {
      if (expected.includes(codeOf(error) ?? -1)) return undefined;
      throw toApiFailure(error, { action, permission, project: this.#project });
    }
  }
}

/** Loads the library and connects to Cloud Run in one project. @throws Failure (input) without credentials. */
export async function connectCloudRun(project: string, options: CloudRunOptions): Promise<CloudRunClient> {
  const library = await import("@google-cloud/run");
  const { cloudRunEndpoint } = options;
  return new CloudRunClient(
    library,
    project,
    cloudRunEndpoint === undefined ? await logIn(project) : await trust(cloudRunEndpoint),
  );
}

/** A client that finds no credentials ends the process, so they are looked up first, once for all clients. */
async function logIn(project: string): Promise<ClientOptions> {
  const { GoogleAuth } = await import("google-gax");
  const auth = new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] });
  try {
    await auth.getClient();
  } catch (error) {
    throw toApiFailure(error, { action: "authenticate this user", permission: "", project });
  }
  return { auth };
}

async function trust(endpoint: string): Promise<ClientOptions> {
  const { grpc } = await import("google-gax");
  const at = endpoint.lastIndexOf(":");
  const [apiEndpoint, port] = [endpoint.slice(0, at), endpoint.slice(at + 1)];
  return { apiEndpoint, port: Number(port), sslCreds: grpc.credentials.createInsecure() };
}

/** Throws the error of an operation that has failed already. */
async function throwError({ error }: Operation): Promise<void> {
  if (error instanceof Error) throw error;
}

/** The name of the execution that an operation is about. */
function nameOf(metadata: object | null | undefined): string {
  if (metadata && "name" in metadata && typeof metadata.name === "string") return metadata.name;
  throw new Error("Cloud Run started an execution and did not return its name");
}

function ageKey({ createTime, name }: Execution): string {
  return `${String(createTime?.seconds ?? 0).padStart(12, "0")}.${String(createTime?.nanos ?? 0).padStart(9, "0")} ${name}`;
}
