/**
 * A test double of a platform whose tasks go on when a controller dies, as on Kubernetes and Cloud Run. It is in memory and
 * takes no time, and stands in for them where a test needs hundreds of runs.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Backend } from "../../src/backend/backend.ts";
import { nameOutputs } from "../../src/model/output-names.ts";
import type { Attempt, Handle, Launch, TaskStatus } from "../../src/model/run.ts";
import { isTaskOver } from "../../src/run/outcomes.ts";
import { makeAttempt, type Stand } from "./run.ts";

/** A start of a pair: the steps of the platform that it takes, and its exit code. */
export interface Script {
  readonly steps: number;
  readonly exitCode: number;
}

export interface Start {
  readonly pair: string;
  readonly launch: number;
  readonly ceilingBytes: number;
  /** The sum of the ceilings of all running workers, this one included. */
  readonly bytesAtWork: number;
  readonly atWork: number;
}

interface RemoteTask {
  readonly launch: Launch;
  status: TaskStatus;
  stepsLeft: number;
  exitCode: number;
}

export class RemotePlatform {
  /** Every start of a worker, in order. */
  readonly starts: Start[] = [];
  readonly #stand: Stand;
  readonly #scriptOf: (pair: string, earlier: number) => Script;
  readonly #launches = new Map<number, RemoteTask[]>();

  constructor(stand: Stand, scriptOf: (pair: string, earlier: number) => Script) {
    this.#stand = stand;
    this.#scriptOf = scriptOf;
    mkdirSync(stand.output, { recursive: true });
  }

  /** The backend of one controller. */
  connect(): Backend {
    return {
      name: "local",
      check: async () => undefined,
      submit: async (launch) => this.#submit(launch),
      status: async (handles) =>
        handles.map(({ launch }) => ({ launch, statuses: this.#tasksOf(launch).map(({ status }) => status) })),
      wait: async (_handles, signal) => {
        await setImmediate();
        if (!signal.aborted) this.#step();
      },
      cancel: async ({ launch }) => {
        for (const task of this.#tasksOf(launch))
          if (!isTaskOver(task.status.state)) task.status = { ...task.status, state: "cancelled" };
      },
    };
  }

  #submit(launch: Launch): Handle {
    const known = this.#launches.get(launch.number);
    if (known === undefined)
      this.#launches.set(
        launch.number,
        launch.tasks.map(({ index, pair }) => {
          const status: TaskStatus = { index, pair, state: "waiting", attempts: [] };
          return { launch, status, stepsLeft: 0, exitCode: 0 };
        }),
      );
    return { backend: "local", name: `run-${launch.number}`, launch };
  }

  #tasksOf({ number }: Launch): readonly RemoteTask[] {
    return this.#launches.get(number) ?? [];
  }

  #step(): void {
    for (const task of [...this.#launches.values()].flat()) if (task.status.state === "running") this.#work(task);
    for (const tasks of this.#launches.values()) this.#startWaiting(tasks);
  }

  #work(task: RemoteTask): void {
    task.stepsLeft -= 1;
    if (task.stepsLeft > 0) return;
    const { exitCode, status } = task;
    if (exitCode === 0) this.#publish(status.pair);
    const [attempt] = status.attempts;
    if (attempt === undefined) throw new Error(`${status.pair} ran without an attempt`);
    const ended: Attempt = { ...attempt, end: new Date().toISOString(), exitCode };
    task.status = { ...status, state: exitCode === 0 ? "succeeded" : "failed", attempts: [ended] };
  }

  #startWaiting(tasks: readonly RemoteTask[]): void {
    for (const task of tasks) {
      const running = tasks.filter(({ status }) => status.state === "running").length;
      if (task.status.state === "waiting" && running < task.launch.parallelism) this.#start(task);
    }
  }

  #start(task: RemoteTask): void {
    const { launch, status } = task;
    const { pair, index } = status;
    const earlier = this.starts.filter((start) => start.pair === pair).length;
    const script = this.#scriptOf(pair, earlier);
    const id = `${launch.number}-${index}`;
    const { ceilingBytes: memoryBytes, number } = launch;
    const attempts = [makeAttempt({ id, launch: number, memoryBytes, start: new Date().toISOString() })];
    task.status = { ...status, state: "running", attempts };
    task.stepsLeft = script.steps;
    task.exitCode = script.exitCode;
    const running = [...this.#launches.values()].flat().filter((other) => other.status.state === "running");
    if (running.some((other) => other !== task && other.status.pair === pair)) throw new Error(`${pair} runs twice`);
    const bytesAtWork = running.reduce((sum, other) => sum + other.launch.ceilingBytes, 0);
    this.starts.push({ pair, launch: number, ceilingBytes: memoryBytes, bytesAtWork, atWork: running.length });
  }

  #publish(pair: string): void {
    const { prepared, output } = this.#stand;
    const names = nameOutputs(pair);
    for (const name of [names.output, names.manifest]) copyFileSync(join(prepared, name), join(output, name));
  }
}
