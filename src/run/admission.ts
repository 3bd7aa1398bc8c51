import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import { isReplaced, type WorkerPlace } from "../model/generation.ts";
import type { RunRecord } from "../model/run.ts";
import { type RunStore, readDocument, runPaths } from "./documents.ts";

/** A worker before it reads its inputs: its run, and its place in it. */
export interface Candidate extends WorkerPlace {
  readonly output: string;
  readonly run: string;
}

/**
 * Lets a worker of a run start, or not: a worker whose controller was replaced, or whose launch is over, must not begin
 * what its successor does again or has cancelled.
 * @throws Failure (superseded)
 */
export async function admitWorker(
  store: Pick<RunStore, "join" | "stat" | "readText">,
  { output, run, ...place }: Candidate,
): Promise<void> {
  const paths = runPaths(store, output, run);
  const [record, end] = await Promise.all([
    readDocument<RunRecord>(store, paths.record),
    store.stat(paths.launch(place.launch)),
  ]);
  if (record === undefined) throw refusal(run, `no record of the run in ${paths.record}`);
  if (end !== undefined) throw refusal(run, `launch ${place.launch} is over`);
  if (isReplaced(place, record))
    throw refusal(run, `generation ${place.generation} of the worker, ${record.generation} of the run`);
}

function refusal(run: string, found: string): Failure {
  const fix = "nothing is lost: the run's present controller starts what is left to do";
  return new Failure(ExitCode.superseded, [{ what: `this worker has no place in run ${run} any more`, found, fix }]);
}
