import type { WorkerEvent } from "../model/event.ts";
import type { MemoryRecord, StageName } from "../model/measurement.ts";
import { nameOutputs } from "../model/output-names.ts";
import type { StageTime } from "../model/result.ts";
import type { Store } from "../store/store.ts";

/** The worker's line to the supervisor. */
export interface Port {
  emit(event: WorkerEvent): void;
  /** Aborted with a Failure as its reason when the worker has to stop. */
  readonly signal: AbortSignal;
  /** True once memory is short: keep one table in flight. */
  readonly slowed: boolean;
  /** Memory of supervisor and worker so far. */
  measureMemory(): Promise<MemoryRecord>;
}

/** What every stage works with. */
export interface Context {
  readonly store: Store;
  readonly port: Port;
}

/** The stages of one pair. */
export interface PairContext extends Context {
  readonly pair: string;
  readonly paths: OutputPaths;
}

/** Where the output of a pair and its manifest go. */
export interface OutputPaths {
  readonly folder: string;
  readonly output: string;
  readonly manifest: string;
}

/** The context of a pair whose output goes into `folder`. */
export function openPair({ store, port }: Context, pair: string, folder: string): PairContext {
  const names = nameOutputs(pair);
  const paths = { folder, output: store.join(folder, names.output), manifest: store.join(folder, names.manifest) };
  return { pair, paths, store, port };
}

/** Stages whose memory use peaks. Garbage of the stages before would add to it; a collection takes 10 to 100 ms. */
const memoryHeavy: ReadonlySet<StageName> = new Set(["merge", "verify"]);

/** Runs the stages: reports each one to the supervisor and measures its time. */
export class StageClock {
  readonly times: StageTime[] = [];
  readonly #port: Port;

  constructor(port: Port) {
    this.#port = port;
  }

  async run<Value>(stage: StageName, work: () => Promise<Value> | Value): Promise<Value> {
    this.#port.signal.throwIfAborted();
    this.#port.emit({ type: "stage", stage });
    if (memoryHeavy.has(stage)) globalThis.gc?.();
    const start = performance.now();
    const value = await work();
    this.times.push({ stage, seconds: (performance.now() - start) / 1000 });
    return value;
  }
}
