/** A test double of Cloud Run's API v2, for the real client: jobs, executions, tasks, operations, over gRPC. */
import { randomBytes } from "node:crypto";
import { protos } from "@google-cloud/run";
import { type Machine, now, RunningExecution, short } from "./cloudrun-execution.ts";
import { type Method, method, Refusal, type RpcServer, serve } from "./cloudrun-rpc.ts";
import { checkJob } from "./cloudrun-rules.ts";

const { v2 } = protos.google.cloud.run;
const { Operation, GetOperationRequest } = protos.google.longrunning;
const prefix = "google.cloud.run.v2";
type Job = protos.google.cloud.run.v2.IJob;
type IOperation = protos.google.longrunning.IOperation;

/** Checks a job as the service does, and carries its tasks out as processes of this machine. */
export class CloudRunDouble {
  /** Every call, by the name of its method; a dry run has "validate " before it. */
  readonly calls: string[] = [];
  /** Methods that are refused, by name. */
  readonly refusals = new Map<string, Refusal>();
  /** Why jobs are made and then do not get ready, as with an image that is not there. */
  unready: Refusal | undefined;
  readonly jobs = new Map<string, Job>();
  readonly executions = new Map<string, RunningExecution>();
  private readonly operations = new Map<string, IOperation>();
  private readonly machine: Machine;
  private server: RpcServer | undefined;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  get endpoint(): string {
    return this.server?.endpoint ?? "";
  }

  async open(): Promise<this> {
    this.server = await serve(this.methods(), (name) => {
      const refusal = this.refusals.get(name);
      if (refusal !== undefined) throw refusal;
      this.calls.push(name);
    });
    return this;
  }

  /** Stops every task. */
  async close(): Promise<void> {
    await Promise.all([...this.executions.values()].map((running) => running.cancel()));
    this.server?.close();
  }

  private methods(): readonly Method[] {
    const { Jobs, Executions, Tasks } = {
      Jobs: `/${prefix}.Jobs/`,
      Executions: `/${prefix}.Executions/`,
      Tasks: `/${prefix}.Tasks/`,
    };
    return [
      method(`${Jobs}CreateJob`, v2.CreateJobRequest, Operation, (request) => this.createJob(request)),
      method(`${Jobs}GetJob`, v2.GetJobRequest, v2.Job, ({ name }) => this.findJob(name)),
      method(`${Jobs}RunJob`, v2.RunJobRequest, Operation, (request) => this.runJob(request)),
      method(`${Jobs}DeleteJob`, v2.DeleteJobRequest, Operation, ({ name }) => this.deleteJob(name)),
      method(
        `${Executions}GetExecution`,
        v2.GetExecutionRequest,
        v2.Execution,
        ({ name }) => this.find(name).execution,
      ),
      method(`${Executions}ListExecutions`, v2.ListExecutionsRequest, v2.ListExecutionsResponse, ({ parent }) => ({
        executions: this.executionsOf(this.findJob(parent).name ?? "").map(({ execution }) => execution),
      })),
      method(`${Executions}CancelExecution`, v2.CancelExecutionRequest, Operation, ({ name }) => this.cancel(name)),
      method(`${Tasks}ListTasks`, v2.ListTasksRequest, v2.ListTasksResponse, (request) => this.listTasks(request)),
      method("/google.longrunning.Operations/GetOperation", GetOperationRequest, Operation, ({ name }) =>
        found(this.operations.get(name), name),
      ),
    ];
  }

  private createJob(request: protos.google.cloud.run.v2.CreateJobRequest): IOperation {
    const { parent, jobId, validateOnly } = request;
    const name = `${parent}/jobs/${jobId}`;
    if (validateOnly) this.calls[this.calls.lastIndexOf("CreateJob")] = "validate CreateJob";
    if (this.jobs.has(name)) throw new Refusal(6, `Resource '${jobId}' already exists.`);
    checkJob(jobId, request.job ?? {});
    const job: Job = { ...request.job, name, uid: randomBytes(8).toString("hex"), createTime: now(), etag: newTag() };
    if (!validateOnly) this.jobs.set(name, job);
    const unready = validateOnly ? Promise.resolve() : this.checkReady();
    return this.start("Job", v2.Job.encode(job).finish(), unready, () => v2.Job.encode(job).finish());
  }

  private runJob({ name, etag }: protos.google.cloud.run.v2.RunJobRequest): IOperation {
    const job = this.findJob(name);
    if (etag !== "" && etag !== job.etag) throw new Refusal(10, "The resource was changed meanwhile.");
    const execution = `${name}/executions/${short(name)}-${randomBytes(3).toString("hex").slice(0, 5)}`;
    const running = new RunningExecution(execution, job, this.machine);
    this.executions.set(execution, running);
    job.etag = newTag();
    const bytes = () => v2.Execution.encode(running.execution).finish();
    // The operation of a run is done when its tasks are.
    return this.start("Execution", bytes(), running.over, bytes);
  }

  private cancel(name: string): IOperation {
    const running = this.find(name);
    if (running.execution.completionTime) throw new Refusal(9, "The execution is over.");
    const bytes = () => v2.Execution.encode(running.execution).finish();
    return this.start("Execution", bytes(), running.cancel(), bytes);
  }

  private deleteJob(name: string): IOperation {
    const job = this.findJob(name);
    const stopped = Promise.all(this.executionsOf(name).map((running) => running.cancel())).then(() => {
      for (const { execution } of this.executionsOf(name)) this.executions.delete(execution.name ?? "");
      this.jobs.delete(name);
    });
    return this.start("Job", v2.Job.encode(job).finish(), stopped, () => v2.Job.encode(job).finish());
  }

  /** In pages, as the service gives them. */
  private listTasks(
    request: protos.google.cloud.run.v2.ListTasksRequest,
  ): protos.google.cloud.run.v2.IListTasksResponse {
    const { tasks } = this.find(request.parent);
    const first = Number(request.pageToken || 0);
    const next = first + (request.pageSize || 10);
    return { tasks: tasks.slice(first, next), nextPageToken: next < tasks.length ? String(next) : "" };
  }

  private start(type: string, metadata: Uint8Array, work: Promise<void>, result: () => Uint8Array): IOperation {
    const pack = (value: Uint8Array) => ({ type_url: `type.googleapis.com/${prefix}.${type}`, value });
    const name = `projects/p/locations/r/operations/${randomBytes(8).toString("hex")}`;
    const operation: IOperation = { name, done: false, metadata: pack(metadata) };
    this.operations.set(name, operation);
    work.then(
      () => this.operations.set(name, { ...operation, done: true, response: pack(result()) }),
      ({ code, message }) => this.operations.set(name, { ...operation, done: true, error: { code, message } }),
    );
    return operation;
  }

  private async checkReady(): Promise<void> {
    if (this.unready !== undefined) throw this.unready;
  }

  /** Newest first. */
  private executionsOf(job: string): readonly RunningExecution[] {
    return [...this.executions.values()].filter(({ execution }) => execution.job === job).reverse();
  }

  private findJob(name: string): Job {
    return found(this.jobs.get(name), name);
  }

  private find(name: string): RunningExecution {
    return found(this.executions.get(name), name);
  }
}

function found<Kind>(resource: Kind | undefined, name: string): Kind {
  if (resource === undefined) throw new Refusal(5, `Resource '${short(name)}' of kind '${name}' does not exist.`);
  return resource;
}

function newTag(): string {
  return `"${randomBytes(8).toString("base64")}"`;
}
