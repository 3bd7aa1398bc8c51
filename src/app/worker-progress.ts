import { renameSync, writeFileSync } from "node:fs";
import type { WorkerEvent } from "../model/event.ts";
import type { WorkerOutcome } from "../model/outcome.ts";
import { encodeProgress } from "../model/progress.ts";
import type { RunningTask, TaskObserver } from "./guarded-task.ts";

/** Milliseconds between two writes. */
const writeEvery = 1000;

/** Follows a merge for another observer: replaces a progress file once a second and counts the merged tables. */
export class WorkerProgress implements Required<TaskObserver> {
  readonly #observer: TaskObserver;
  readonly #path: string | undefined;
  #tables = { tablesDone: 0, tables: 0 };
  #merged: WorkerOutcome["progress"];
  #workingSetBytes = 0;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #broken = false;

  /** Passes everything on to `observer`. Without a path nothing is written. */
  constructor(observer: TaskObserver, path: string | undefined) {
    this.#observer = observer;
    this.#path = path;
  }

  /** The tables merged so far; undefined before the first. */
  get merged(): WorkerOutcome["progress"] {
    return this.#merged;
  }

  onStart(task: RunningTask): void {
    this.#observer.onStart?.(task);
  }

  onEvent(event: WorkerEvent): void {
    this.#observer.onEvent?.(event);
    if (event.type !== "progress") return;
    const { stage, tablesDone, tables } = event;
    this.#tables = { tablesDone, tables };
    if (stage === "merge") this.#merged = this.#tables;
    this.#write();
  }

  onSample(workingSetBytes: number, ceilingBytes: number): void {
    this.#observer.onSample?.(workingSetBytes, ceilingBytes);
    this.#workingSetBytes = workingSetBytes;
    this.#write();
  }

  onWarning(text: string): void {
    this.#observer.onWarning?.(text);
  }

  onEnd(): void {
    this.#observer.onEnd?.();
  }

  /** Progress is for people only: a file that cannot be written must not disturb the merge. */
  #write(): void {
    const now = performance.now();
    if (this.#path === undefined || this.#broken || now - this.#writtenAt < writeEvery) return;
    this.#writtenAt = now;
    try {
      const staged = `${this.#path}.staged`;
      writeFileSync(staged, encodeProgress({ ...this.#tables, workingSetBytes: this.#workingSetBytes }));
      renameSync(staged, this.#path);
    } catch {
      this.#broken = true;
    }
  }
}
