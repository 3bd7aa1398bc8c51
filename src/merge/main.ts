/** The guarded child: receives one task over the process channel, carries it out, reports, and ends. */
import type { Order, WorkerEvent } from "../model/event.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, toFailure } from "../model/failure.ts";
import type { MemoryRecord } from "../model/measurement.ts";
import type { Task } from "../model/task.ts";
import { createStore } from "../store/create-store.ts";
import type { Port } from "./context.ts";
import { runTask } from "./run.ts";

class ChannelPort implements Port {
  slowed = false;
  readonly #controller = new AbortController();
  #answer: ((memory: MemoryRecord) => void) | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  emit(event: WorkerEvent): void {
    process.send?.(event, () => undefined);
  }

  /** Emits and waits until the whole message has left this process. */
  deliver(event: WorkerEvent): Promise<void> {
    return new Promise((resolve) => {
      if (process.connected) process.send?.(event, () => resolve());
      else resolve();
    });
  }

  measureMemory(): Promise<MemoryRecord> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.emit({ type: "askMemory" });
    });
  }

  receive(order: Order): void {
    if (order.type === "memory") this.#answer?.(order.memory);
    if (order.type === "slowDown") this.slowed = true;
    if (order.type === "stop") this.#controller.abort(new Failure(order.exitCode, [order.problem]));
  }

  /** Stops the work after the guard has ended, because nothing enforces the ceiling any more. */
  orphan(): void {
    const problem = { what: "the guard of this merge ended", fix: "run again: it finishes the work" };
    this.#controller.abort(new Failure(ExitCode.terminated, [problem]));
  }
}

const port = new ChannelPort();
process.on("message", (order: Order) => {
  if (order.type === "task") void carryOut(order.task);
  else port.receive(order);
});
process.on("disconnect", () => port.orphan());
// The guard receives the terminal's Ctrl-C too and decides; the child must live to clean up.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);

async function carryOut(task: Task): Promise<void> {
  try {
    const store = createStore(task.settings);
    const report = await runTask(task, { store, port });
    await port.deliver({ type: "report", report });
    process.exitCode = ExitCode.done;
  } catch (error) {
    const failure = toFailure(error);
    await port.deliver({ type: "failure", exitCode: failure.exitCode, problems: failure.problems });
    process.exitCode = failure.exitCode;
  }
  // The open channel would keep the process alive.
  if (process.connected) process.disconnect?.();
}
