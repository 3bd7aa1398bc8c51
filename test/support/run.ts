/** Runs as plain data: attempts, records, facts, and folders that look like merged pairs to a controller. */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { Settings } from "../../src/config/settings.ts";
import { outputSettings } from "../../src/model/comparison.ts";
import { type Cause, endingOf } from "../../src/model/ending.ts";
import { type ExitCode, outcomeOf } from "../../src/model/exit-code.ts";
import { encodeOutcome, toOutcome } from "../../src/model/outcome.ts";
import { nameOutputs } from "../../src/model/output-names.ts";
import type { Manifest } from "../../src/model/result.ts";
import type { Attempt, Launch, RunRecord, TaskStatus, WorkerRecord } from "../../src/model/run.ts";
import type { RunFacts } from "../../src/run/outcomes.ts";
import { policyOf } from "../../src/run/policy.ts";
import type { StoredFile } from "../../src/store/store.ts";

export const GiB = 2 ** 30;

export function makeAttempt(given: Partial<Attempt> = {}): Attempt {
  return { id: "attempt-1", launch: 0, vcpu: 2, memoryBytes: GiB, spot: false, ...given };
}

/** The cause of a failed attempt, by what its backend saw; undefined for any other attempt. */
export function causeOf(seen: Attempt): Cause | undefined {
  const ending = endingOf({ seen });
  return ending.kind === "failed" ? ending.cause : undefined;
}

export function makeWorkerRecord(given: Partial<WorkerRecord> = {}): WorkerRecord {
  const exitCode = given.exitCode ?? 0;
  return {
    format: 1,
    run: "run",
    attempt: "attempt-1",
    pair: "audusd",
    start: "2026-11-21T06:00:00.000Z",
    end: "2026-11-21T06:00:01.000Z",
    exitCode,
    result: {
      pair: "audusd",
      outcome: outcomeOf[exitCode],
      exitCode,
      rows: 0,
      columns: 0,
      tables: { total: 0, spliced: 0, aligned: 0 },
      partialTables: [],
      ignored: [],
      bytes: { read: 0, written: 0 },
      peakMemoryBytes: 0,
      predictedPeakBytes: 0,
      ceilingBytes: GiB,
      seconds: 1,
      stages: [],
      output: "",
      manifest: "",
      problems: [],
    },
    memory: { source: "rss", peakBytes: 0, ceilingBytes: GiB, warnings: 0, samples: [] },
    ...given,
  };
}

export function makeLaunch(pairs: readonly string[], given: Partial<Launch> = {}): Launch {
  return {
    run: "run",
    number: 0,
    tasks: pairs.map((pair, index) => ({ index, pair })),
    ceilingBytes: GiB,
    parallelism: 2,
    spot: false,
    ...given,
  };
}

export function makeStatus(pair: string, given: Partial<TaskStatus> = {}): TaskStatus {
  return { index: 0, pair, state: "waiting", attempts: [], ...given };
}

export function makeRecord(pairs: readonly string[], given: Partial<RunRecord> = {}): RunRecord {
  return {
    format: 1,
    run: "run",
    widemerge: "0.0.0",
    created: "2026-11-21T06:00:00.000Z",
    backend: "local",
    input: "in",
    output: "out",
    pairs,
    handles: [],
    doneBefore: [],
    cancelled: false,
    ...given,
  };
}

/** What a controller knows of a run of one pair that nobody has looked at yet. */
export function makeFacts(given: Partial<RunFacts> = {}): RunFacts {
  return {
    record: makeRecord(["audusd"]),
    launches: [],
    taskEnds: new Map(),
    records: new Map(),
    completions: new Map(),
    policy: policyOf({ retries: 3, retriesUnexpected: 1, memoryCeilings: [] }, GiB),
    ...given,
  };
}

/** Folders in which pairs can become done without a merge: a controller reads listings and manifests only. */
export interface Stand {
  readonly settings: Settings;
  readonly pairs: readonly string[];
  readonly output: string;
  /** What a worker would leave, by the names it has in the output folder. */
  readonly prepared: string;
  /** One line for every time that a worker of `workerScript` published, and for every start. */
  readonly journal: string;
}

/** A checkpoint of one table for every pair, and beside it the output and the manifest that a worker would make. */
export function makeStand(folder: string, pairs: readonly string[], given: Record<string, unknown> = {}): Stand {
  const [input, output, prepared] = ["in", "out", "prepared"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const settings = v.parse(Settings, { input, output, sync: false, ...given });
  mkdirSync(prepared, { recursive: true });
  for (const pair of pairs) makePair(settings, prepared, pair);
  return { settings, pairs, output, prepared, journal: join(folder, "journal") };
}

function makePair(settings: Settings, prepared: string, pair: string): void {
  const folder = join(settings.input, pair);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "_COMPLETE"), "");
  const path = join(folder, "targets.parquet");
  writeFileSync(path, `targets of ${pair}`);
  const names = nameOutputs(pair);
  const output = `output of ${pair}`;
  writeFileSync(join(prepared, names.output), output);
  const { size, mtimeNs, ino } = statSync(path, { bigint: true });
  const file = { path, size: Number(size), version: `${mtimeNs}-${ino}` };
  writeFileSync(join(prepared, names.manifest), JSON.stringify(makeManifest(settings, pair, file, output.length)));
}

/** The manifest of an output of so many bytes, made from a checkpoint of one table. */
export function makeManifest(
  settings: Settings,
  pair: string,
  file: Pick<StoredFile, "path" | "size" | "version">,
  size: number,
): Manifest {
  const { path, size: inputSize, version } = file;
  const input = {
    table: "targets",
    path,
    size: inputSize,
    version,
    crc32c: "00000000",
    action: "splice",
    reason: "the targets",
    rows: 1,
    rowsDropped: 0,
    rowsNullFilled: 0,
    duplicateRows: 0,
    nullKeyRows: 0,
    pageChecksums: "checked",
    columns: [],
  } as const;
  return {
    format: 1,
    widemerge: "0.0.0",
    pair,
    digest: "",
    output: { name: nameOutputs(pair).output, size, crc32c: "00000000" },
    rows: 1,
    columns: 1,
    rowGroups: [1],
    inputs: [input],
    verification: {
      target: "",
      level: "structure",
      rows: 1,
      columns: 1,
      rowGroups: 1,
      pages: 1,
      columnsCompared: 0,
      valuesCompared: 0,
      problems: [],
    },
    memory: { peakBytes: 1, predictedBytes: 2, ceilingBytes: 3, source: "rss" },
    stages: [],
    settings: outputSettings(settings),
  };
}

/** The outcome document of a worker, with %s twice for the name of its pair. */
function outcomeAs(exitCode: ExitCode): string {
  const problem = { what: "the stand says so", fix: "use another pair" };
  const problems = exitCode === 0 ? [] : [problem];
  return encodeOutcome(toOutcome({ ...makeWorkerRecord({ exitCode }).result, pair: "%s", problems }));
}

/**
 * A worker that merges nothing: its pair's name says how it ends. `ok…` publishes what is prepared; `inputN`, `memoryN`,
 * `storageN` end with that exit code; `onceN` fails with 75 the first time; `stayN` goes on until it is stopped.
 */
export function workerScript({ output, prepared, journal }: Stand, seconds = 0): string {
  return `
IFS=,; set -- $WIDEMERGE_PAIRS; shift "$JOB_COMPLETION_INDEX"; pair=$1
ceiling=\${WIDEMERGE_MEMORY_CEILING%B}
echo "start $pair $ceiling" >> '${journal}'
publish() {
  sleep ${seconds}
  cp '${prepared}'/training_$pair.parquet '${output}'/ && cp '${prepared}'/training_$pair.manifest.json '${output}'/.m$pair
  mv '${output}'/.m$pair '${output}'/training_$pair.manifest.json
  echo "publish $pair" >> '${journal}'
}
leave() { printf "$1" "$pair" "$pair" > "$TERMINATION_MESSAGE_PATH"; }
fail() { leave "$2"; exit $1; }
mkdir -p '${output}'
case $pair in
  input*) fail 3 '${outcomeAs(3)}' ;;
  storage*) fail 75 '${outcomeAs(75)}' ;;
  memory*) test "$ceiling" -ge 2000000000 || fail 4 '${outcomeAs(4)}' ;;
  once*) if ! test -e '${prepared}'/$pair.tried; then touch '${prepared}'/$pair.tried; fail 75 '${outcomeAs(75)}'; fi ;;
  stay*) trap 'exit 143' TERM; while :; do sleep 0.05; done ;;
esac
publish
leave '${outcomeAs(0)}'
`;
}
