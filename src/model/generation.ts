/** In whose name a worker runs: its backend says it by environment variables, and the worker compares it with the run's record. */
import type { BackendName } from "./backend-name.ts";
import type { Launch, RunRecord } from "./run.ts";

/** The number of the worker's launch, and the generation that the worker belongs to. */
export const launchVariable = "WIDEMERGE_LAUNCH";
export const generationVariable = "WIDEMERGE_GENERATION";

/** What a worker knows of its place in the run. */
export interface WorkerPlace {
  readonly launch: number;
  readonly generation: number;
}

/**
 * Backends whose workers are started by the controller itself: they belong to its generation. Elsewhere the platform starts
 * them, also after the controller was replaced, so they belong to the generation of their launch.
 */
const startedByController: ReadonlySet<BackendName> = new Set(["local"]);

/** Whether the controller itself starts the workers of a backend, rather than a platform. */
export function isStartedByController(backend: BackendName): boolean {
  return startedByController.has(backend);
}

/** The variables of a worker; none for a launch of version 0.1.0. */
export function placeVariables(
  { number, generation: planned }: Pick<Launch, "number" | "generation">,
  generation = planned,
): Readonly<Record<string, string>> {
  return generation === undefined ? {} : { [launchVariable]: `${number}`, [generationVariable]: `${generation}` };
}

/** The place that the variables name; undefined for a merge that no controller started, or one of version 0.1.0. */
export function readPlace(environment: Readonly<Record<string, string | undefined>>): WorkerPlace | undefined {
  const [launch, generation] = [environment[launchVariable], environment[generationVariable]].map((text) =>
    text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined,
  );
  return launch === undefined || generation === undefined ? undefined : { launch, generation };
}

/**
 * Whether a later controller has replaced the one that a worker belongs to, by the run's record. A later controller that
 * has adopted the launch lets its workers start. Pure.
 */
export function isReplaced({ launch, generation }: WorkerPlace, record: RunRecord): boolean {
  // A store may show an older record than the one under which the worker was started.
  if ((record.generation ?? 0) <= generation) return false;
  if (isStartedByController(record.backend)) return true;
  const launches = [...record.handles.map((handle) => handle.launch), ...(record.pending ? [record.pending] : [])];
  return !launches.some((known) => known.number === launch && known.generation === generation);
}
