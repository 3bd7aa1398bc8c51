/** The documents that `--json` prints and the manifest, as schemas; docs/ has them as JSON Schema. */
import * as v from "valibot";
import type { RunForecast } from "../../src/app/dry-run.ts";
import type { FailedPlan } from "../../src/app/plan-pairs.ts";
import { CostLine, PriceSource, Sum } from "../../src/model/cost.ts";
import { ExitCode, outcomeOf } from "../../src/model/exit-code.ts";
import type { Plan as PairPlan } from "../../src/model/plan.ts";
import { Report } from "../../src/model/report.ts";
import type { Manifest, PairResult, Verification } from "../../src/model/result.ts";
import { list, object } from "../../src/model/schema.ts";
import type { SampleSummary } from "../../src/sample/write.ts";

const text = v.string();
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const seconds = v.pipe(v.number(), v.description("seconds"));
const bytes = v.pipe(v.number(), v.description("bytes"));
const exitCode = v.picklist(Object.values(ExitCode));

const Problem = object({
  what: v.pipe(text, v.description("what is wrong")),
  found: v.exactOptional(v.pipe(text, v.description("what was found"))),
  fix: v.pipe(text, v.description("what to do")),
  table: v.exactOptional(v.pipe(text, v.description("the table that it concerns"))),
  more: v.exactOptional(v.pipe(whole, v.description("problems like this one that were found and left out"))),
});

const stageName = v.picklist(["inventory", "preflight", "plan", "merge", "footer", "verify", "publish"]);
const StageTime = object({ stage: stageName, seconds });
const Column = object({ input: text, output: text });

const PartialTable = object({
  table: text,
  rowsMatched: v.pipe(whole, v.description("rows of the output that the table has a row for")),
  rowsNullFilled: v.pipe(whole, v.description("rows of the output in which its columns are null")),
  rowsDropped: v.pipe(whole, v.description("rows of the table that are not in the output")),
});

const Memory = object({
  source: v.picklist(["cgroup2", "cgroup1", "rss"]),
  peakBytes: bytes,
  ceilingBytes: bytes,
  warnings: whole,
  samples: list(object({ seconds, bytes })),
});

const ResultSchema = object({
  pair: text,
  outcome: v.picklist([...Object.values(outcomeOf), "already done"]),
  exitCode,
  rows: whole,
  columns: whole,
  tables: object({ total: whole, spliced: whole, aligned: whole }),
  partialTables: v.pipe(list(PartialTable), v.description("tables with other rows than the targets, the worst first")),
  ignored: v.pipe(list(text), v.description("names in the checkpoint's folder that are no tables")),
  bytes: object({ read: bytes, written: bytes }),
  peakMemoryBytes: bytes,
  predictedPeakBytes: bytes,
  ceilingBytes: bytes,
  seconds,
  stages: list(StageTime),
  output: v.pipe(text, v.description("path of the output")),
  manifest: v.pipe(text, v.description("path of the manifest")),
  problems: list(Problem),
  memory: v.exactOptional(Memory),
  traffic: v.exactOptional(object({ classA: whole, classB: whole, free: whole, bytesDown: bytes, bytesUp: bytes })),
});

const VerificationSchema = object({
  target: text,
  level: v.picklist(["structure", "sample", "full"]),
  rows: whole,
  columns: whole,
  rowGroups: whole,
  pages: whole,
  columnsCompared: whole,
  valuesCompared: whole,
  problems: list(Problem),
});

const InputFile = { path: text, size: bytes, version: text };
const action = v.picklist(["splice", "align"]);
const changedTypes = list(object({ column: text, from: text, to: text }));
const counts = { rows: whole, rowsDropped: whole, rowsNullFilled: whole, duplicateRows: whole };

const ManifestSchema = object({
  format: v.literal(1),
  widemerge: v.pipe(text, v.description("version")),
  pair: text,
  digest: text,
  output: object({ name: text, size: bytes, crc32c: text }),
  rows: whole,
  columns: whole,
  rowGroups: v.pipe(list(whole), v.description("rows of each row group")),
  inputs: list(
    object({
      table: text,
      ...InputFile,
      crc32c: text,
      action,
      reason: text,
      ...counts,
      nullKeyRows: v.exactOptional(whole),
      pageChecksums: v.picklist(["checked", "unchecked"]),
      columns: list(Column),
      key: v.exactOptional(text),
      leftOut: v.exactOptional(list(text)),
      changedTypes: v.exactOptional(changedTypes),
    }),
  ),
  excluded: v.exactOptional(list(text)),
  ignored: v.exactOptional(list(text)),
  verification: VerificationSchema,
  memory: object({ peakBytes: bytes, predictedBytes: bytes, ceilingBytes: bytes, source: text }),
  stages: list(StageTime),
  settings: object({
    key: text,
    targets: text,
    duplicates: v.picklist(["error", "first", "last"]),
    naming: v.picklist(["prefix", "keep"]),
    separator: text,
    keepIndex: v.boolean(),
    rename: v.record(text, text),
    keyCast: v.picklist(["none", "timestamp", "timestamp-utc"]),
    rowGroupRows: v.union([v.literal("auto"), whole]),
  }),
});

const Plan = object({
  pair: text,
  rows: whole,
  columns: whole,
  rowGroups: list(whole),
  tables: list(
    object({
      file: object({ table: text, ...InputFile, crc32c: v.exactOptional(text) }),
      action,
      reason: text,
      sameKeys: v.boolean(),
      ...counts,
      nullKeyRows: whole,
      columns: list(Column),
      leftOut: list(text),
      changedTypes,
      arrowSchemaIgnored: v.exactOptional(text),
      bytes,
      decodedBytes: bytes,
    }),
  ),
  excluded: list(text),
  partialTables: list(PartialTable),
  ignored: list(text),
  digest: text,
  outputBytes: bytes,
  readBytes: bytes,
  predictedPeakBytes: bytes,
  ceilingBytes: bytes,
  predictedSeconds: seconds,
  assembly: object({ how: v.picklist(["stream", "compose"]), why: text }),
});

const PlanSchema = object({
  plans: list(Plan),
  failed: list(object({ pair: text, exitCode, problems: list(Problem) })),
});

const parts = object({ spliced: whole, aligned: whole });
const Output = object({
  rows: whole,
  columns: whole,
  sizeBytes: bytes,
  inputBytes: bytes,
  families: v.pipe(v.record(text, parts), v.description("tables by the beginning of their names")),
  predictedPeakBytes: bytes,
  partialTables: list(PartialTable),
});

const DryRunSchema = object({
  exitCode,
  ceilingBytes: bytes,
  parallelism: v.pipe(whole, v.description("pairs merged at the same time")),
  pairs: list(
    object({
      pair: text,
      verdict: v.pipe(
        v.picklist(["done", "unsure", "to do"]),
        v.description("unsure: done if the bytes of rewritten tables are the same"),
      ),
      why: text,
      inputBytes: bytes,
      output: v.exactOptional(v.pipe(Output, v.description("absent for a pair to do"))),
      plan: v.exactOptional(
        v.pipe(Plan, v.description("absent for a pair that is done, and for one that cannot be planned")),
      ),
      exitCode,
      problems: list(Problem),
    }),
  ),
  cost: object({
    pairs: list(object({ pair: text, lines: list(CostLine), estimated: Sum })),
    lines: v.pipe(list(CostLine), v.description("costs of the run apart from its pairs")),
    estimated: v.pipe(Sum, v.description("if every pair is started once")),
    monthly: v.pipe(Sum, v.description("US dollars per month for the outputs in a bucket")),
    basis: v.pipe(text, v.description("how the costs were computed")),
    prices: PriceSource,
  }),
});

const RunAllSchema = object({ exitCode, ...Report.pipe[0].entries });

const SampleSchema = object({
  out: v.pipe(text, v.description("folder of the pairs")),
  pairs: list(
    object({
      pair: text,
      folder: text,
      written: v.pipe(v.boolean(), v.description("false if it existed already, made with the same options")),
      rows: whole,
      syntheticRows: whole,
      tables: whole,
      columns: whole,
      bytes,
    }),
  ),
  seconds,
  source: v.pipe(text, v.description("where the exchange rates come from")),
  total: object({ tables: whole, columns: whole, bytes }),
});

/** A value of the program's type is one of the schema's: a type that changes without its schema does not compile. */
type Describes<Schema extends v.GenericSchema, Document extends v.InferOutput<Schema>> = Document;
/** Only compiled. @public */
export type Described = [
  Describes<typeof ResultSchema, PairResult>,
  Describes<typeof VerificationSchema, Verification>,
  Describes<typeof ManifestSchema, Manifest>,
  Describes<typeof PlanSchema, { readonly plans: readonly PairPlan[]; readonly failed: readonly FailedPlan[] }>,
  Describes<typeof DryRunSchema, RunForecast>,
  Describes<typeof SampleSchema, SampleSummary & Pick<v.InferOutput<typeof SampleSchema>, "source" | "total">>,
  Describes<typeof RunAllSchema, Report & { readonly exitCode: ExitCode }>,
];

/** By the name of the file in docs/: the title of the document, and its schema. */
export const schemas = {
  "merge.schema.json": { title: "widemerge merge --json", schema: ResultSchema },
  "run-all.schema.json": { title: "widemerge run-all --json", schema: RunAllSchema },
  "dry-run.schema.json": { title: "widemerge run-all --dry-run --json", schema: DryRunSchema },
  "sample.schema.json": { title: "widemerge sample --json", schema: SampleSchema },
  "plan.schema.json": { title: "widemerge plan --json", schema: PlanSchema },
  "verify.schema.json": { title: "widemerge verify --json", schema: VerificationSchema },
  "manifest.schema.json": { title: "widemerge manifest", schema: ManifestSchema },
} as const;
