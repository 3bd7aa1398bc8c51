/** Part of a test double of Cloud Run: an execution whose tasks are processes of this machine. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { protos } from "@google-cloud/run";

const { v2 } = protos.google.cloud.run;
const { State, ExecutionReason } = v2.Condition;
type Execution = protos.google.cloud.run.v2.IExecution;
type Task = protos.google.cloud.run.v2.ITask;
type Template = protos.google.cloud.run.v2.ITaskTemplate;

/** What stands for the container image. */
export interface Machine {
  /** The image's entrypoint; the container's args come behind it. */
  readonly command: readonly string[];
  /** Milliseconds between SIGTERM and SIGKILL; the service's 10,000 unless given. */
  readonly graceMilliseconds?: number;
}

/** A limit of writable memory also counts what Node reserves and never touches. */
const reservedBytes = 2 ** 30;

/** How one start of a task ended. */
type Result = { readonly exitCode: number; readonly termSignal: number; readonly words: string; readonly code: number };

export class RunningExecution {
  readonly execution: Execution;
  readonly tasks: Task[];
  /** Resolves when no task runs or waits any more. */
  readonly over: Promise<void>;
  private readonly machine: Machine;
  private readonly template: Template;
  private readonly children = new Set<ChildProcess>();
  private cancelled = false;

  constructor(name: string, job: protos.google.cloud.run.v2.IJob, machine: Machine) {
    const { taskCount, parallelism, template, labels } = job.template ?? {};
    this.machine = machine;
    this.template = template ?? {};
    const count = taskCount || 1;
    const most = parallelism || count;
    this.execution = {
      name,
      job: job.name ?? "",
      labels: labels ?? {},
      createTime: now(),
      startTime: now(),
      taskCount: count,
      parallelism: most,
      runningCount: 0,
      succeededCount: 0,
      failedCount: 0,
      cancelledCount: 0,
      logUri: `https://console.cloud.google.com/logs/viewer?execution=${short(name)}`,
      conditions: [condition(State.CONDITION_RECONCILING, "")],
    };
    this.tasks = Array.from({ length: count }, (_, index) => ({
      name: `${name}/tasks/${short(name)}-task${index}`,
      execution: name,
      index,
      createTime: now(),
      maxRetries: this.template.maxRetries ?? 3,
      logUri: `https://console.cloud.google.com/logs/viewer?task=${index}`,
      conditions: [condition(State.CONDITION_PENDING, "")],
    }));
    this.over = this.carryOut(most);
  }

  async cancel(): Promise<void> {
    this.cancelled = true;
    for (const child of this.children) this.stop(child);
    await this.over;
  }

  private async carryOut(most: number): Promise<void> {
    const waiting = [...this.tasks];
    const work = async (): Promise<void> => {
      for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await this.carryOutTask(task);
    };
    await Promise.all(Array.from({ length: Math.min(most, waiting.length) }, work));
    const failed = this.tasks.filter(({ conditions }) => conditions?.[0]?.state !== State.CONDITION_SUCCEEDED).length;
    this.execution.completionTime = now();
    this.execution.conditions = [
      failed === 0
        ? condition(State.CONDITION_SUCCEEDED, "Execution completed successfully.")
        : condition(State.CONDITION_FAILED, `${failed} tasks failed.`, this.reason()),
    ];
  }

  private async carryOutTask(task: Task): Promise<void> {
    if (!this.cancelled) this.count("runningCount", 1);
    const wasRunning = !this.cancelled;
    for (let attempt = 0; ; attempt += 1) {
      if (this.cancelled) break;
      task.startTime ??= now();
      task.retried = attempt;
      task.conditions = [condition(State.CONDITION_RECONCILING, "")];
      const { exitCode, termSignal, words, code } = await this.start(task, attempt);
      task.lastAttemptResult = { exitCode, termSignal, status: { code, message: words } };
      if (code === 0 || attempt >= (task.maxRetries ?? 0)) break;
    }
    task.completionTime = now();
    const succeeded = task.lastAttemptResult?.status?.code === 0 && !this.cancelled;
    if (wasRunning) this.count("runningCount", -1);
    this.count(succeeded ? "succeededCount" : this.cancelled ? "cancelledCount" : "failedCount", 1);
    task.conditions = [
      succeeded
        ? condition(State.CONDITION_SUCCEEDED, "Task completed successfully.")
        : condition(State.CONDITION_FAILED, task.lastAttemptResult?.status?.message ?? "", this.reason()),
    ];
  }

  /** Counts of tasks by their state, as the service keeps them in the execution. */
  private count(name: "runningCount" | "succeededCount" | "failedCount" | "cancelledCount", change: number): void {
    this.execution[name] = (this.execution[name] ?? 0) + change;
  }

  private async start(task: Task, attempt: number): Promise<Result> {
    const child = this.spawn(task, attempt);
    this.children.add(child);
    let late = false;
    const timer = setTimeout(
      () => {
        late = true;
        this.stop(child);
      },
      Number(this.template.timeout?.seconds ?? 600) * 1000,
    );
    const [exitCode, signal]: [number | null, NodeJS.Signals | null] = await onceOver(child);
    clearTimeout(timer);
    this.children.delete(child);
    return describe(exitCode, signal, late, this.cancelled);
  }

  private spawn(task: Task, attempt: number): ChildProcess {
    const [container] = this.template.containers ?? [];
    const stated = (container?.env ?? []).map(({ name, value }) => [name ?? "", value ?? ""]);
    const job = this.execution.job ?? "";
    const memory = container?.resources?.limits?.memory ?? "512Mi";
    const bytes = Number.parseInt(memory, 10) * 2 ** (memory.endsWith("Gi") ? 30 : 20);
    const limit = `--data=${bytes + reservedBytes}`;
    return spawn("prlimit", [limit, ...this.machine.command, ...(container?.args ?? [])], {
      stdio: "ignore",
      env: {
        PATH: process.env.PATH ?? "",
        HOSTNAME: "localhost",
        ...Object.fromEntries(stated),
        CLOUD_RUN_JOB: short(job),
        CLOUD_RUN_EXECUTION: short(this.execution.name ?? ""),
        CLOUD_RUN_TASK_INDEX: String(task.index ?? 0),
        CLOUD_RUN_TASK_COUNT: String(this.execution.taskCount ?? 1),
        CLOUD_RUN_TASK_ATTEMPT: String(attempt),
      },
    });
  }

  private stop(child: ChildProcess): void {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), this.machine.graceMilliseconds ?? 10_000);
    child.once("close", () => clearTimeout(timer));
  }

  private reason(): protos.google.cloud.run.v2.Condition.ExecutionReason {
    return this.cancelled ? ExecutionReason.CANCELLED : ExecutionReason.NON_ZERO_EXIT_CODE;
  }
}

/** As the service tells it: a task killed for its memory has exit code 0, no signal, and a message. */
function describe(exitCode: number | null, signal: NodeJS.Signals | null, late: boolean, cancelled: boolean): Result {
  if (late) return { exitCode: 0, termSignal: 0, words: "The configured timeout was reached.", code: 4 };
  if (signal === "SIGKILL" && !cancelled)
    return { exitCode: 0, termSignal: 0, words: "The configured memory limit was reached.", code: 8 };
  if (signal !== null)
    return {
      exitCode: 0,
      termSignal: constants.signals[signal],
      words: "The container exited with an error.",
      code: 10,
    };
  if (exitCode === 0) return { exitCode: 0, termSignal: 0, words: "", code: 0 };
  return { exitCode: exitCode ?? 1, termSignal: 0, words: "The container exited with an error.", code: 10 };
}

async function onceOver(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  const [code, signal] = await once(child, "close");
  return [typeof code === "number" ? code : null, signal];
}

function condition(
  state: protos.google.cloud.run.v2.Condition.State,
  message: string,
  executionReason?: protos.google.cloud.run.v2.Condition.ExecutionReason,
): protos.google.cloud.run.v2.ICondition {
  const reason = state === State.CONDITION_FAILED && executionReason !== undefined ? { executionReason } : {};
  return { type: "Completed", state, message, lastTransitionTime: now(), ...reason };
}

export function now(): protos.google.protobuf.ITimestamp {
  const milliseconds = Date.now();
  return { seconds: Math.floor(milliseconds / 1000), nanos: (milliseconds % 1000) * 1e6 };
}

export function short(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
