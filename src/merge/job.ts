import type { MemoryRecord, StageName, WorkerEvent } from "../model/event.ts";
import { nameOutputs } from "../model/output-names.ts";
import type { StageTime } from "../model/result.ts";
import type { MergeSettings } from "../model/settings.ts";
import type { TaskLimits } from "../model/task.ts";
import type { Store } from "../store/store.ts";

/** The worker's line to whoever started it. */
export interface Port {
  emit(event: WorkerEvent): void;
  /** Aborted with a Failure as its reason when the worker has to stop. */
  readonly signal: AbortSignal;
  /** True once memory is short: keep one table in flight. */
  readonly slowed: boolean;
  /** Memory of the whole job so far. */
  measureMemory(): Promise<MemoryRecord>;
}

/** What every stage of one pair works with. */
export interface Job {
  readonly pair: string;
  readonly settings: MergeSettings;
  readonly limits: TaskLimits;
  readonly store: Store;
  readonly port: Port;
}

/** Stages that need memory: what those before left as garbage would stand beside it. 10 to 100 ms each. */
const hungry: ReadonlySet<StageName> = new Set(["merge", "verify"]);

/** Names the stage to the supervisor and measures it. */
export class StageClock {
  readonly times: StageTime[] = [];
  private readonly port: Port;

  constructor(port: Port) {
    this.port = port;
  }

  async run<Value>(stage: StageName, work: () => Promise<Value> | Value): Promise<Value> {
    this.port.signal.throwIfAborted();
    this.port.emit({ type: "stage", stage });
    if (hungry.has(stage)) globalThis.gc?.();
    const start = performance.now();
    const value = await work();
    this.times.push({ stage, seconds: (performance.now() - start) / 1000 });
    return value;
  }
}

/** Where a pair's files lie. */
export function outputPaths(job: Pick<Job, "pair" | "settings" | "store">): {
  readonly output: string;
  readonly manifest: string;
} {
  const names = nameOutputs(job.pair);
  const folder = job.settings.output;
  return { output: job.store.join(folder, names.output), manifest: job.store.join(folder, names.manifest) };
}
