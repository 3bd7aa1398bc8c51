/**
 * Schemas of the documents of a run. A person, a full disk or another program may have changed them since they were
 * written, and their names become paths, labels and parts of requests. Entries that this version does not know are kept.
 */
import * as v from "valibot";
import { backendNames } from "./backend-name.ts";
import { ExitCode, outcomeOf } from "./exit-code.ts";
import type { Problem } from "./failure.ts";
import { Attempt, HandleName, Pair, RunId } from "./names.ts";
import { ProblemDocument, WorkerOutcome } from "./outcome.ts";
import { TaskProgress } from "./progress.ts";
import type { Attempt as AttemptOfRun, Handle, Launch, RunRecord, TaskStatus, WorkerRecord } from "./run.ts";

export const count = v.pipe(v.number("a number"), v.safeInteger("a whole number"), v.minValue(0, "a number from 0 on"));
const amount = v.pipe(v.number("a number"), v.finite("a number"), v.minValue(0, "a number from 0 on"));
export const text = v.string("a text");
export const flag = v.boolean("true or false");
const time = v.pipe(
  text,
  v.check((found) => !Number.isNaN(Date.parse(found)), "a time such as 2026-11-21T06:00:00Z"),
);

/** Some fields of a document, among others. */
export function fields<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.looseObject(entries, "a document");
}

export function listOf<const Item extends v.GenericSchema>(item: Item) {
  return v.array(item, "a list");
}

const outcomes = [...Object.values(outcomeOf), "already done"] as const;
const exitCode = v.picklist(Object.values(ExitCode), "an exit code of widemerge");
const backend = v.picklist(backendNames, `one of ${backendNames.join(", ")}`);
const states = ["waiting", "running", "succeeded", "failed", "cancelled"] as const;

export const LaunchDocument = fields({
  run: RunId,
  number: count,
  tasks: listOf(fields({ index: count, pair: Pair })),
  ceilingBytes: count,
  parallelism: count,
  spot: flag,
  sharesMachine: v.exactOptional(flag),
  generation: v.exactOptional(count),
}) satisfies v.GenericSchema<unknown, Launch>;

const HandleDocument = fields({ backend, name: HandleName, launch: LaunchDocument }) satisfies v.GenericSchema<
  unknown,
  Handle
>;

/** The entries of an attempt as its backend saw it. */
export const attemptEntries = {
  id: Attempt,
  launch: count,
  vcpu: amount,
  memoryBytes: amount,
  spot: flag,
  start: v.exactOptional(time),
  end: v.exactOptional(time),
  exitCode: v.exactOptional(v.pipe(v.number("a number"), v.safeInteger("a whole number"))),
  signal: v.exactOptional(text),
  reason: v.exactOptional(text),
  message: v.exactOptional(text),
  outcome: v.exactOptional(WorkerOutcome),
};
const AttemptDocument = fields(attemptEntries) satisfies v.GenericSchema<unknown, AttemptOfRun>;

/** The entries of a task, with attempts of a backend. */
export function taskEntries<const Kind extends v.GenericSchema>(attempt: Kind) {
  return {
    index: count,
    pair: Pair,
    state: v.picklist(states, `one of ${states.join(", ")}`),
    attempts: listOf(attempt),
  };
}

const StatusDocument = fields({
  ...taskEntries(AttemptDocument),
  progress: v.exactOptional(TaskProgress),
}) satisfies v.GenericSchema<unknown, TaskStatus>;

/** `launches/<n>.json` */
export const LaunchEnd = fields({
  handle: HandleDocument,
  statuses: listOf(StatusDocument),
  generation: v.exactOptional(count),
});

/** `<run>.json`: a run in the list of runs. */
export const RunEntry = fields({ run: RunId, created: time });

/** `run.json` */
export const RecordDocument = fields({
  format: v.literal(1, "1"),
  run: RunId,
  widemerge: text,
  created: time,
  finished: v.exactOptional(time),
  backend,
  input: text,
  output: text,
  pairs: listOf(Pair),
  doneBefore: listOf(Pair),
  handles: listOf(HandleDocument),
  pending: v.exactOptional(LaunchDocument),
  cancelled: flag,
  settings: v.exactOptional(v.record(text, v.unknown(), "a document")),
  completeness: v.exactOptional(
    fields({ requireMarker: flag, expectTables: v.exactOptional(v.union([count, text], "a number or a path")) }),
  ),
  policy: v.exactOptional(
    fields({
      ceilingBytes: v.exactOptional(amount),
      retries: count,
      retriesUnexpected: count,
      memoryCeilings: listOf(amount),
    }),
  ),
  generation: v.exactOptional(count),
  countFrom: v.exactOptional(count),
}) satisfies v.GenericSchema<unknown, RunRecord>;

const MemoryDocument = fields({
  source: v.picklist(["cgroup2", "cgroup1", "rss"], "cgroup2, cgroup1 or rss"),
  peakBytes: amount,
  ceilingBytes: amount,
  warnings: count,
  samples: listOf(fields({ seconds: amount, bytes: amount })),
});

const TrafficDocument = fields({ classA: count, classB: count, free: count, bytesDown: amount, bytesUp: amount });

/** `results/<pair>/<attempt>.json`. Of the result, what this program reads: version 0.1.0 wrote fewer entries. */
export const WorkerRecordDocument = fields({
  run: RunId,
  attempt: Attempt,
  pair: Pair,
  start: time,
  end: time,
  exitCode,
  result: fields({
    pair: v.string("a text"),
    outcome: v.picklist(outcomes, "an outcome"),
    exitCode,
    peakMemoryBytes: amount,
    predictedPeakBytes: amount,
    ceilingBytes: amount,
    seconds: amount,
    problems: listOf(ProblemDocument),
    traffic: v.exactOptional(TrafficDocument),
  }),
  memory: MemoryDocument,
}) satisfies v.GenericSchema<unknown, Pick<WorkerRecord, "run" | "attempt" | "pair" | "start" | "end" | "memory">>;

/** `lease.json` */
export const LeaseEntry = fields({
  owner: text,
  host: text,
  pid: count,
  since: text,
  heartbeat: text,
  beats: v.exactOptional(count),
  generation: v.exactOptional(count),
});

/** What to do about a document that nobody but widemerge writes. */
export const documentFix = "somebody else changed this document: move it away, or restore it";

/** What is wrong with a document at `path`: by its schema, or, in one that fits the schema, by `check`. */
export function checkDocument<Document>(
  schema: v.GenericSchema<unknown, Document>,
  document: unknown,
  path: string,
  check: (document: Document) => readonly Problem[] = () => [],
): readonly Problem[] {
  const { success, output, issues } = v.safeParse(schema, document);
  if (success) return check(output);
  return issues.map((issue) => {
    const what = `${path}: ${v.getDotPath(issue) ?? "the document"} is`;
    const found = JSON.stringify(issue.input);
    return found === undefined
      ? { what: `${what} missing`, fix: documentFix }
      : { what: `${what} not ${issue.message}`, found: found.slice(0, 200), fix: documentFix };
  });
}
