import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import type { Handle, Launch, TaskStatus } from "../../model/run.ts";
import { formatMemory } from "../../model/units.ts";
import type { Backend, Wait } from "../backend.ts";
import { Journal } from "./journal.ts";
import { LocalLaunch, toStatus } from "./launch.ts";
import type { LocalOptions } from "./worker.ts";

export type { LocalOptions } from "./worker.ts";

/** Workers as processes of this machine, as many at a time as its memory allows. */
export function createLocalBackend(options: LocalOptions): Backend {
  return new LocalBackend(options);
}

class LocalBackend implements Backend {
  readonly name = "local";
  readonly indexVariable = "JOB_COMPLETION_INDEX";
  readonly #options: LocalOptions;
  /** Launches that this process carries out, by name. */
  readonly #launches = new Map<string, LocalLaunch>();

  constructor(options: LocalOptions) {
    this.#options = options;
  }

  async submit(launch: Launch): Promise<Handle> {
    refuseTooLarge(launch, this.#options.budgetBytes);
    const handle: Handle = { backend: "local", name: `${launch.run}-${launch.number}`, launch };
    if (!this.#launches.has(handle.name)) {
      const journal = this.#journalOf(launch);
      const { cancelled } = journal.begin(launch);
      this.#launches.set(handle.name, new LocalLaunch(launch, this.#options, journal, cancelled));
    }
    return handle;
  }

  async status(handle: Handle, wait?: Wait): Promise<readonly TaskStatus[]> {
    const launch = this.#launches.get(handle.name);
    if (launch !== undefined) {
      if (wait !== undefined) await launch.change(wait.milliseconds, wait.signal);
      return launch.statuses();
    }
    if (wait !== undefined) await sleep(wait.milliseconds, undefined, { signal: wait.signal }).catch(() => undefined);
    return this.#read(handle.launch);
  }

  async cancel(handle: Handle): Promise<void> {
    const journal = this.#journalOf(handle.launch);
    const launch = this.#launches.get(handle.name) ?? new LocalLaunch(handle.launch, this.#options, journal, true);
    await launch.cancel();
  }

  /** What another process carries out, looked at and not touched. */
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
    what: "a worker's memory ceiling is above what this machine has",
    found: `ceiling ${formatMemory(ceilingBytes)}, memory ${formatMemory(budgetBytes)}`,
    fix: "lower --memory-ceiling (or --memory-ceilings), or use --backend kubernetes",
  };
  throw new Failure(ExitCode.usage, [problem]);
}
