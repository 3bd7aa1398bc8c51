import type { WorkerEvent } from "../model/event.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem, toFailure } from "../model/failure.ts";
import type { ProgressEvent, TaskControl } from "../model/task-control.ts";
import type { RunningTask, TaskObserver } from "./guarded-task.ts";

/** How a task ended. */
interface TaskEnd {
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];
}

/**
 * Carries out a task that a caller follows and may abort; returns its end when the task is done.
 * @throws Failure with the exit code and every problem of a task that is not done; what `onProgress` threw
 */
export async function runControlled<End extends TaskEnd>(
  start: (observer: TaskObserver) => Promise<End>,
  control: TaskControl,
): Promise<End> {
  const { signal } = control;
  if (signal?.aborted) throw aborted(signal);
  const observer = new ControlledObserver(control);
  const end = await start(observer).catch((error) => Promise.reject(toFailure(error)));
  if (observer.thrown !== undefined) throw observer.thrown.error;
  if (end.exitCode === ExitCode.interrupted && signal?.aborted) throw aborted(signal);
  if (end.exitCode !== ExitCode.done) throw new Failure(end.exitCode, end.problems);
  return end;
}

function aborted({ reason }: AbortSignal): Failure {
  const problem = { what: "the task was aborted", fix: "start it again: nothing unfinished is left" };
  return new Failure(ExitCode.interrupted, [problem], { cause: reason });
}

class ControlledObserver implements TaskObserver {
  /** What `onProgress` threw. */
  thrown: { readonly error: unknown } | undefined;
  readonly #control: TaskControl;
  readonly #interrupt = (): void => this.#task?.interrupt(ExitCode.interrupted);
  #task: RunningTask | undefined;

  constructor(control: TaskControl) {
    this.#control = control;
  }

  onStart(task: RunningTask): void {
    this.#task = task;
    this.#control.signal?.addEventListener("abort", this.#interrupt, { once: true });
  }

  onEvent(event: WorkerEvent): void {
    if (event.type === "stage" || event.type === "progress") this.#emit(event);
  }

  onSample(workingSetBytes: number, ceilingBytes: number): void {
    this.#emit({ type: "memory", workingSetBytes, ceilingBytes });
  }

  onWarning(message: string): void {
    this.#emit({ type: "warning", message });
  }

  onEnd(): void {
    this.#control.signal?.removeEventListener("abort", this.#interrupt);
  }

  #emit(event: ProgressEvent): void {
    if (this.thrown !== undefined) return;
    try {
      this.#control.onProgress?.(event);
    } catch (error) {
      this.thrown = { error };
      this.#interrupt();
    }
  }
}
