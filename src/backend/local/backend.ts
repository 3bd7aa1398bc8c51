import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import type { Handle, Launch, LaunchStatus, TaskStatus } from "../../model/run.ts";
import { formatMemory } from "../../model/units.ts";
import type { Backend } from "../backend.ts";
import { Journal } from "./journal.ts";
import { LocalLaunch, toStatus } from "./launch.ts";
import { MemoryBudget } from "./memory-budget.ts";
import type { LocalOptions } from "./worker.ts";

export type { LocalOptions } from "./worker.ts";

/** Milliseconds after which a look is worthwhile without an event: workers make progress, and others may run elsewhere. */
const progressEvery = 1000;

/** Workers as processes of this machine, as many at a time as its memory allows. */
export function createLocalBackend(options: LocalOptions): Backend {
  return new LocalBackend(options);
}

class LocalBackend implements Backend {
  readonly name = "local";
  readonly #options: LocalOptions;
  readonly #budget: MemoryBudget;
  /** The launches that this process carries out, by name. */
  readonly #launches = new Map<string, LocalLaunch>();

  constructor(options: LocalOptions) {
    this.#options = options;
    this.#budget = new MemoryBudget(options.budgetBytes);
  }

  async check(launch: Launch): Promise<void> {
    refuseTooLarge(launch, this.#options.budgetBytes);
  }

  async submit(launch: Launch, generation?: number): Promise<Handle> {
    await this.check(launch);
    const handle: Handle = { backend: "local", name: `${launch.run}-${launch.number}`, launch };
    if (!this.#launches.has(handle.name)) {
      const journal = this.#journalOf(launch);
      journal.begin(launch, generation);
      this.#launches.set(handle.name, this.#carryOut(launch, journal, generation));
    }
    return handle;
  }

  async status(handles: readonly Handle[]): Promise<readonly LaunchStatus[]> {
    return handles.map(({ name, launch }) => ({
      launch,
      statuses: this.#launches.get(name)?.statuses() ?? this.#read(launch),
    }));
  }

  async wait(handles: readonly Handle[], signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    const launches = handles.flatMap(({ name }) => this.#launches.get(name) ?? []);
    const changes = launches.map((launch) => launch.change(ended));
    await Promise.race([...changes, sleep(progressEvery, undefined, { signal: ended }).catch(() => undefined)]);
    over.abort();
  }

  async cancel({ name, launch }: Handle): Promise<void> {
    const journal = this.#journalOf(launch);
    journal.markCancelled(launch);
    await (this.#launches.get(name) ?? this.#carryOut(launch, journal)).cancel();
  }

  #carryOut(launch: Launch, journal: Journal, generation?: number): LocalLaunch {
    return new LocalLaunch(launch, { ...this.#options, generation }, journal, this.#budget);
  }

  /** The statuses of a launch that another process carries out; starts nothing. */
  #read(launch: Launch): readonly TaskStatus[] {
    const journal = this.#journalOf(launch);
    return launch.tasks.map(({ index, pair }) =>
      toStatus(journal.readTask(index) ?? { index, pair, state: "waiting", attempts: [] }, journal),
    );
  }

  #journalOf({ run, number }: Launch): Journal {
    return new Journal(join(this.#options.stateFolder(run), String(number)));
  }
}

function refuseTooLarge({ ceilingBytes }: Launch, budgetBytes: number): void {
  if (ceilingBytes <= budgetBytes) return;
  const problem = {
    what: "the memory ceiling of a worker exceeds the memory of this machine",
    found: `ceiling ${formatMemory(ceilingBytes)}, memory ${formatMemory(budgetBytes)}`,
    fix: "lower --memory-ceiling (or --memory-ceilings), use a larger machine, or use --backend kubernetes. A profile for a larger machine runs on a laptop with --memory-ceiling auto --memory-free 0 --memory-warn auto --disk-free auto; profiles/example.yaml is made for one",
  };
  throw new Failure(ExitCode.usage, [problem]);
}
