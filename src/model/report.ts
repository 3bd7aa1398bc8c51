/** `report.json`: the state of a run, with its costs. Sizes are in bytes, times in seconds, money in US dollars. */
import * as v from "valibot";
import { backendNames } from "./backend-name.ts";
import { Alternative, PairCost, RightSize, RunCost } from "./cost.ts";
import { list, object } from "./schema.ts";

const text = v.string();
const amount = v.number();
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));

const ReportProblem = object({
  what: text,
  found: v.exactOptional(text),
  fix: text,
  table: v.exactOptional(text),
  more: v.exactOptional(v.pipe(whole, v.description("problems like this one that were found and left out"))),
});

/** The memory of one attempt over time. `ended` is the word for its ending. */
export const MemoryTrace = object({
  attempt: text,
  ended: text,
  source: v.picklist(["cgroup2", "cgroup1", "rss"]),
  peakBytes: whole,
  ceilingBytes: whole,
  warnings: whole,
  samples: v.pipe(
    list(v.tuple([amount, amount])),
    v.description("[seconds since the attempt began, working set in bytes]"),
  ),
});
export type MemoryTrace = v.InferOutput<typeof MemoryTrace>;

const Family = object({ family: text, spliced: whole, aligned: whole });

const PartialTable = object({
  table: text,
  rowsMatched: v.pipe(whole, v.description("rows of the output that the table has a row for")),
  rowsNullFilled: v.pipe(whole, v.description("rows of the output in which its columns are null")),
  rowsDropped: v.pipe(whole, v.description("rows of the table that are not in the output")),
});

export const ReportPair = object({
  pair: text,
  state: v.picklist(["done before", "done", "waiting", "running", "failed", "cancelled"]),
  why: v.exactOptional(v.pipe(text, v.description("the reason for the state"))),
  output: v.exactOptional(
    object({
      name: v.pipe(text, v.description("file in the folder of the outputs")),
      manifest: v.pipe(text, v.description("its manifest, in the same folder")),
      rows: whole,
      columns: whole,
      sizeBytes: whole,
      inputBytes: whole,
      predictedPeakBytes: whole,
      families: list(Family),
      partialTables: v.pipe(
        list(PartialTable),
        v.description("tables with other rows than the targets, the worst first"),
      ),
    }),
  ),
  tables: object({ spliced: whole, aligned: whole }),
  seconds: v.pipe(amount, v.description("total of all attempts")),
  peakBytes: v.exactOptional(whole),
  ceilingBytes: v.exactOptional(whole),
  failures: v.pipe(v.record(text, whole), v.description("failed attempts by cause")),
  problems: v.pipe(list(ReportProblem), v.description("problems of the last failed attempt that reported any")),
  memory: list(MemoryTrace),
  cost: PairCost,
});
export type ReportPair = v.InferOutput<typeof ReportPair>;

export const Report = object({
  format: v.literal(1),
  widemerge: v.pipe(text, v.description("version")),
  run: text,
  backend: v.picklist(backendNames),
  input: text,
  output: text,
  created: text,
  at: v.pipe(text, v.description("RFC 3339: when the report was made")),
  finished: v.exactOptional(text),
  cancelled: v.boolean(),
  settings: v.pipe(
    v.record(text, v.unknown()),
    v.description("the settings in force that the run keeps, by their names in a configuration file; sizes in bytes"),
  ),
  totals: object({
    pairs: whole,
    states: v.record(text, whole),
    attempts: whole,
    failures: v.record(text, whole),
    tables: object({ spliced: whole, aligned: whole }),
    families: list(Family),
    inputBytes: whole,
    outputBytes: whole,
    peakBytes: whole,
    wallSeconds: amount,
    attemptSeconds: amount,
  }),
  pairs: list(ReportPair),
  cost: v.pipe(v.omit(RunCost.pipe[0], ["pairs"]), v.readonly()),
  alternatives: list(Alternative),
  rightSize: v.exactOptional(RightSize),
  controller: v.exactOptional(
    v.pipe(
      v.picklist(["alive", "none", "unknown"]),
      v.description("only in `status --json` while the run is not finished: whether a controller has the run"),
    ),
  ),
});
export type Report = v.InferOutput<typeof Report>;
