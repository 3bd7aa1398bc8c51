import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { placeVariables } from "../../model/generation.ts";
import { outcomeVariable, type WorkerOutcome } from "../../model/outcome.ts";
import { progressVariable } from "../../model/progress.ts";
import type { Launch } from "../../model/run.ts";
import { printSize } from "../../model/units.ts";
import type { LocalAttempt, WorkerFiles } from "./journal.ts";

export interface LocalOptions {
  /** A folder on this machine for the state of a run's workers. */
  readonly stateFolder: (run: string) => string;
  /** Program and arguments of a worker; the environment says which task it is. */
  readonly command: readonly string[];
  /** The environment of a worker, without the variables that name its task. */
  readonly environment: Readonly<Record<string, string>>;
  /** Memory of this machine that all workers may use together. */
  readonly budgetBytes: number;
  readonly vcpu: number;
  /** Milliseconds that a worker has to clean up before it is killed. */
  readonly graceMilliseconds: number;
}

/** Finds a worker again whose controller was killed before it wrote the process number down. */
export const attemptVariable = "WIDEMERGE_ATTEMPT";

/** A worker to start. */
export interface NewWorker {
  /** Of its task in the launch. */
  readonly index: number;
  readonly attempt: string;
  /** Of the controller that starts it. */
  readonly generation: number | undefined;
  readonly files: WorkerFiles;
}

/** Starts one worker in a session of its own, so that it outlives this process. */
export function startWorker(
  launch: Launch,
  { command, environment }: LocalOptions,
  { index, attempt, generation, files: { log, outcome, progress } }: NewWorker,
): ChildProcess {
  const [program = process.execPath, ...args] = command;
  const output = openSync(log, "a");
  try {
    return spawn(program, args, {
      detached: true,
      stdio: ["ignore", output, output],
      env: {
        ...environment,
        ...workerVariables(launch),
        ...placeVariables(launch, generation),
        JOB_COMPLETION_INDEX: String(index),
        [attemptVariable]: attempt,
        [outcomeVariable]: outcome,
        [progressVariable]: progress,
      },
    });
  } finally {
    closeSync(output);
  }
}

/** The variables of a launch's workers, beside the settings of the run. */
function workerVariables(launch: Launch): Record<string, string> {
  return {
    WIDEMERGE_RUN: launch.run,
    WIDEMERGE_PAIRS: launch.tasks.map(({ pair }) => pair).join(","),
    WIDEMERGE_MEMORY_CEILING: printSize(launch.ceilingBytes),
    // Side by side in one container, each worker measures its own memory only.
    ...(launch.parallelism > 1 || launch.sharesMachine ? { WIDEMERGE_MEMORY_SCOPE: "process" } : {}),
  };
}

/** How a worker ended, as far as it is known. */
export type WorkerEnd = Pick<LocalAttempt, "exitCode" | "signal" | "reason" | "message" | "outcome">;

/** How a worker of this process ended. */
export function describeExit(
  code: number | null,
  signal: NodeJS.Signals | null,
  outcome: WorkerOutcome | undefined,
): WorkerEnd {
  return {
    ...(code === null ? {} : { exitCode: code }),
    ...(signal === null ? {} : { signal }),
    ...describeOutcome(outcome),
  };
}

/** How a worker of another process ended. Only its outcome tells: a worker without one was killed. */
export function describeLoss(outcome: WorkerOutcome | undefined): WorkerEnd {
  return outcome === undefined ? { reason: "Lost" } : { exitCode: outcome.exitCode, ...describeOutcome(outcome) };
}

function describeOutcome(outcome: WorkerOutcome | undefined): WorkerEnd {
  return outcome === undefined ? {} : { message: outcome.message, outcome };
}
