/** What is promised about any run, whatever happened to it. */
import { nameOutputs } from "../../src/model/output-names.ts";
import type { PairOutcome, RunRecord } from "../../src/model/run.ts";
import type { LeaseDocument } from "../../src/run/lease-watch.ts";
import { exitCodeOf } from "../../src/run/outcomes.ts";
import type { RunState } from "../../src/run/state.ts";
import type { TrueStart } from "./platform.ts";
import { type ControllerEnd, describeView, type Simulated } from "./simulate.ts";
import { type AcceptedWrite, paths } from "./world.ts";

/** Every promise that was broken, in one line each. `state` is what the run's documents alone tell. */
export function checkRun(run: Simulated, state: RunState): readonly string[] {
  return [
    ...checkRecord(run),
    ...checkLease(run),
    ...checkOtherDocuments(run),
    ...checkWorkers(run),
    ...checkPublications(run),
    ...checkPolicy(run),
    ...checkCost(run),
    ...checkControllers(run, state),
    ...checkAgreement(run, state),
  ];
}

function parse<Kind>(text: string | undefined): Kind | undefined {
  return text === undefined ? undefined : JSON.parse(text);
}

function writesOf({ world }: Simulated, path: string): readonly AcceptedWrite[] {
  return world.writes.filter((write) => write.path === path);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)} s`;
}

/** No write of an earlier generation: the record's never falls, and each belongs to one controller. */
function checkRecord(run: Simulated): readonly string[] {
  const authors = new Map<number, string>();
  return writesOf(run, paths.record).flatMap(({ at, by, before, after }) => {
    const [old, now] = [before, after].map((text) => parse<RunRecord>(text)?.generation ?? 0);
    if (old === undefined || now === undefined) return [];
    const author = authors.get(now) ?? by;
    authors.set(now, author);
    if (now < old) return [`${seconds(at)}: ${by} wrote the record of generation ${now} over ${old}`];
    return author === by ? [] : [`${seconds(at)}: ${by} wrote as generation ${now}, which is that of ${author}`];
  });
}

/** A lease is taken only from a holder whose heartbeat did not come for 30 seconds of true time. */
function checkLease(run: Simulated): readonly string[] {
  let last = 0;
  return writesOf(run, paths.lease).flatMap(({ at, by, before, after }) => {
    const holder = parse<LeaseDocument>(before)?.owner;
    // The command that cancels a run has a name of this machine.
    const isOwn =
      holder === undefined || (holder.startsWith("controller") ? holder.startsWith(`${by}-`) : by === "cancel");
    const since = at - last;
    last = at;
    if (isOwn || (after !== undefined && parse<LeaseDocument>(after)?.owner === holder) || since >= 30_000) return [];
    return [`${seconds(at)}: ${by} took the lease of ${holder}, ${seconds(since)} after its heartbeat`];
  });
}

/** Reports and ends of launches never replace those of a later generation. */
function checkOtherDocuments({ world }: Simulated): readonly string[] {
  return world.writes
    .filter(({ path }) => path === paths.report || path.startsWith("out/runs/run/launches/"))
    .flatMap(({ at, path, by, before, after }) => {
      const [old, now] = [before, after].map((text) => parse<{ generation?: number }>(text)?.generation ?? 0);
      if (old === undefined || now === undefined || now >= old) return [];
      return [`${seconds(at)}: ${by} wrote ${path} of generation ${now} over ${old}`];
    });
}

/** A worker whose place was taken before it asked does not read; on a platform, nobody reads twice at the same time. */
function checkWorkers({ platform, mode, workers, world }: Simulated): readonly string[] {
  const read = platform.starts.filter(({ readsAt }) => readsAt !== undefined);
  const late = read.filter(({ replaced }) => replaced).map((start) => `${nameStart(start)} was replaced and read`);
  if (mode === "local") return late;
  const crowded = read
    .filter(({ atWork, alone }) => !alone || atWork > workers)
    .map((start) => `${nameStart(start)}: ${start.atWork} at work, ${workers} allowed, alone: ${start.alone}`);
  const finished = world.writes.findLast(({ path, after }) => path === paths.record && after?.includes('"finished"'));
  const after = read.filter(({ readsAt = 0 }) => finished !== undefined && readsAt > finished.at);
  return [...late, ...crowded, ...after.map((start) => `${nameStart(start)} read after the end of the run`)];
}

function nameStart({ id, pair, at, launch, generation }: TrueStart): string {
  return `${id} of ${pair} (launch ${launch}, generation ${generation}, ${seconds(at)})`;
}

/** An output is published once, and its manifest describes it. */
function checkPublications(run: Simulated): readonly string[] {
  return run.pairs.flatMap((pair) => {
    const names = nameOutputs(pair);
    const count = writesOf(run, `out/${names.output}`).length;
    const output = run.world.store.documents.get(`out/${names.output}`)?.text;
    const manifest = run.world.store.documents.get(`out/${names.manifest}`)?.text;
    const size = parse<{ output: { size: number } }>(manifest)?.output.size;
    return [
      ...(count > 1 ? [`${pair} was published ${count} times`] : []),
      ...(size !== undefined && size !== output?.length
        ? [`the manifest of ${pair} does not describe its output`]
        : []),
      ...(output !== undefined && output !== `output of ${pair}` ? [`the output of ${pair} is wrong: ${output}`] : []),
    ];
  });
}

/** How often the run began again, which gives every pair all of its retries. */
function countBeginnings(run: Simulated): number {
  const counts = writesOf(run, paths.record).map(({ after }) => parse<RunRecord>(after)?.countFrom ?? 0);
  return new Set([0, ...counts]).size;
}

/** No attempt beyond its policy. A machine knows nothing of the workers of another one, so those are not counted. */
function checkPolicy(run: Simulated): readonly string[] {
  const { settings, pairs, platform, mode } = run;
  if (mode === "local") return [];
  const beginnings = countBeginnings(run);
  // An end that comes between the last look and the stop of its launch is seen by nobody.
  const { stops } = run;
  const limits: readonly (readonly [string, readonly number[], number])[] = [
    ["transient", [75], settings.retries + 1],
    ["unexpected", [1], settings.retriesUnexpected + 1],
    ["input", [3], 1],
    ["memory", [4, 137], settings.memoryCeilings.length + 1],
  ];
  return pairs.flatMap((pair) =>
    limits.flatMap(([cause, codes, most]) => {
      const ends = platform.starts.filter((start) => start.pair === pair && codes.includes(start.end?.exitCode ?? 0));
      if (ends.length <= most * beginnings + stops) return [];
      return [`${pair} failed ${ends.length} times (${cause}), ${most} times ${beginnings} allowed, and ${stops}`];
    }),
  );
}

/** Every start costs $1; a worker that stops because it has no place costs nothing worth counting. */
function checkCost({ settings: { maxCost }, platform, mode }: Simulated): readonly string[] {
  const starts = platform.starts.filter(({ readsAt }) => readsAt !== undefined).length;
  if (maxCost === undefined || mode === "local" || starts <= maxCost) return [];
  return [`${starts} starts cost more than the limit of $${maxCost}`];
}

/** Exit codes that a controller ends with when it cannot go on. */
const namedEnds = new Set([2, 6, 75, 130, 143]);

function checkControllers(run: Simulated, state: RunState): readonly string[] {
  return run.controllers.flatMap((one) => [
    ...(one.failure !== undefined && !namedEnds.has(one.failure.exitCode)
      ? [
          `${one.name} ended without a name: ${one.failure.cause instanceof Error ? one.failure.cause.stack : one.failure.message}`,
        ]
      : []),
    ...(one.failure?.exitCode === 6 && !hasSuccessor(run, one)
      ? [`${one.name} says that it was superseded, and nobody came after it`]
      : []),
    ...(one.end?.exitCode === 0 && exitCodeOf(state) !== 0 ? [`${one.name} ended with 0, and pairs are not done`] : []),
  ]);
}

function hasSuccessor(run: Simulated, { name }: ControllerEnd): boolean {
  const records = writesOf(run, paths.record);
  const own = records.findIndex(({ by }) => by === name);
  const after = records.slice(Math.max(0, own)).some(({ by }) => by !== name);
  return after || writesOf(run, paths.lease).some(({ by, before }) => by !== name && before?.includes(`"${name}-`));
}

/** The documents of a finished run agree with each other and with the outputs. */
function checkAgreement(run: Simulated, state: RunState): readonly string[] {
  const { record } = state;
  // The last request of a worker may arrive after the run has ended, and nobody can stop a worker on a machine whose
  // controller is gone.
  const late = new Set(listPublishedLate(run));
  const pairs = state.view().pairs.filter(({ pair }) => !late.has(pair));
  const report = run.world.store.documents.get(paths.report)?.text;
  const told = describeView({ ...state.view(), pairs });
  return [
    ...(record.pending === undefined ? [] : [`launch ${record.pending.number} is still pending`]),
    ...(state.openHandles().length === 0 ? [] : ["the end of a launch is not in the store"]),
    ...(report !== undefined && leaveOut(report, late) === told
      ? []
      : [`the report says ${report}, the documents ${told}`]),
    ...pairs.flatMap((outcome) => checkPair(run, outcome)),
  ];
}

/** A pair of a finished run is done and published, or it is told as something else. */
function checkPair({ world, mode, settings }: Simulated, { pair, state }: PairOutcome): readonly string[] {
  const isThere = world.store.documents.has(`out/${nameOutputs(pair).manifest}`);
  const isDone = state === "done" || state === "done before";
  const heldBack = state === "waiting" && settings.maxCost !== undefined;
  const isEnd = isDone || state === "failed" || state === "cancelled" || heldBack;
  return [
    ...(isDone !== isThere && (isDone || mode === "kubernetes") ? [`${pair} is ${state}, manifest: ${isThere}`] : []),
    ...(isEnd ? [] : [`${pair} is ${state} in a finished run`]),
  ];
}

/** Pairs whose manifest came after the last end of the run. */
function listPublishedLate(run: Simulated): readonly string[] {
  const end = writesOf(run, paths.record).findLast(({ after }) => after?.includes('"finished"'))?.at ?? 0;
  return run.pairs.filter((pair) => writesOf(run, `out/${nameOutputs(pair).manifest}`).some(({ at }) => at > end));
}

/** A report without some of its pairs. */
function leaveOut(report: string, pairs: ReadonlySet<string>): string {
  const { states, ...rest }: { states: Record<string, string> } = JSON.parse(report);
  return JSON.stringify({
    ...rest,
    states: Object.fromEntries(Object.entries(states).filter(([pair]) => !pairs.has(pair))),
  });
}
