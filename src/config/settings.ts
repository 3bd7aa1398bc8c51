import * as v from "valibot";
import { backendNames } from "../model/backend-name.ts";
import { Attempt, Pair, pairText, RunId } from "../model/names.ts";
import { cloudRunEntries } from "./cloudrun.ts";
import { kubernetesEntries } from "./kubernetes.ts";
import { count, dollars, flag, folders, list, percent, renames, size, sizeText, times } from "./values.ts";

const auto = v.literal("auto");

const sizesText = "sizes separated by commas, such as 50GiB,60GiB";
const sizes = v.union(
  [
    v.array(size),
    v.pipe(
      v.string(),
      v.transform((list): (string | number)[] => list.split(",")),
      v.array(size),
    ),
  ],
  sizesText,
);

const separatorText = "1 to 8 characters without spaces, such as _ or __";

const patternsText =
  "table names separated by commas, * for any characters, ? for one, {pair} for the pair, such as mkt_*,tri_*";
const patterns = list(/^[^\s/\\,]+$/, patternsText);

const someText = v.pipe(v.string("a text"), v.nonEmpty("a text that is not empty"));
const rowsText = "auto, or a whole number of at least 1";

/** Every setting: its type, its default, and the description that `--help` prints. Flag, variable and YAML key have the same name. */
export const Settings = v.strictObject({
  input: v.optional(
    v.pipe(
      someText,
      v.description("folder that holds <pair>/<table>.parquet; gs://bucket/prefix works wherever a folder does"),
    ),
    "checkpoints",
  ),
  folders: v.optional(
    v.pipe(
      folders,
      v.description(
        "pairs whose folders under the input have other names, such as ES=F:es_f for a pair es_f in a folder ES=F",
      ),
    ),
    {},
  ),
  output: v.optional(
    v.pipe(someText, v.description("folder for training_<pair>.parquet and its manifest")),
    "training",
  ),
  pairs: v.optional(
    v.pipe(
      v.union(
        [
          v.array(Pair),
          v.pipe(
            v.string(),
            v.transform((list) => list.split(",")),
            v.array(Pair),
          ),
        ],
        pairText,
      ),
      v.description(
        "pairs to merge: any instruments or other entities with a folder of their own, separated by commas; without pairs, run-all takes those of an existing run, otherwise every checkpoint under the input",
      ),
    ),
    [],
  ),
  memoryCeiling: v.optional(
    v.pipe(
      v.union([auto, size], `auto, or ${sizeText}`),
      v.description(
        "memory ceiling: the merge never exceeds it; auto: the container's limit, otherwise 80% of the free memory, at most 50GiB",
      ),
    ),
    "auto",
  ),
  memoryWarn: v.optional(
    v.pipe(
      v.union([auto, size], `auto, or ${sizeText}`),
      v.description("working set at which the merge slows down; auto: 90% of the ceiling"),
    ),
    "auto",
  ),
  memoryFree: v.optional(v.pipe(size, v.description("memory that must be free at the start")), 0),
  diskFree: v.optional(
    v.pipe(
      v.union([auto, size], `auto, or ${sizeText}`),
      v.description("disk space that must be free at the start; auto: the size of the output"),
    ),
    "auto",
  ),
  key: v.optional(v.pipe(someText, v.description("name of the key column")), "interval_time"),
  targets: v.optional(v.pipe(someText, v.description("name of the targets table")), "targets"),
  duplicates: v.optional(
    v.pipe(
      v.picklist(["error", "first", "last"], "error, first or last"),
      v.description("what to do with rows of a feature table that share a key"),
    ),
    "error",
  ),
  nullKeys: v.optional(
    v.pipe(
      v.picklist(["error", "drop"], "error or drop"),
      v.description("what to do with rows of a feature table that have no key"),
    ),
    "error",
  ),
  minMatch: v.optional(
    v.pipe(
      percent,
      v.description(
        "warn of a feature table that has fewer than this share of the targets' keys; a table that has none of them is refused, unless this is 0",
      ),
    ),
    "50%",
  ),
  naming: v.optional(
    v.pipe(
      v.picklist(["prefix", "keep"], "prefix or keep"),
      v.description("names of output columns: prefix is <table>_<column>, keep leaves the input's names unchanged"),
    ),
    "prefix",
  ),
  separator: v.optional(
    v.pipe(
      v.string(separatorText),
      v.regex(/^[^\s\p{C}]{1,8}$/u, separatorText),
      v.description("text between table and column in the names of output columns"),
    ),
    "_",
  ),
  rename: v.optional(
    v.pipe(
      renames,
      v.description(
        "new names of input columns, before a table's name goes before them; table/column means one table, with * and ? as in --tables",
      ),
    ),
    {},
  ),
  keyCast: v.optional(
    v.pipe(
      v.picklist(["none", "timestamp", "timestamp-utc"], "none, timestamp or timestamp-utc"),
      v.description(
        "how keys are read before they are compared: timestamp reads text as timestamps without a time zone, timestamp-utc reads text and timestamps without a time zone as UTC",
      ),
    ),
    "none",
  ),
  keepIndex: v.optional(
    v.pipe(flag, v.description("keep the columns __index_level_0__ in which pandas saves an index without a name")),
    false,
  ),
  rowGroupRows: v.optional(
    v.pipe(
      v.union([auto, count(rowsText)], rowsText),
      v.description("rows in each row group of the output; auto: the layout of most of the input"),
    ),
    "auto",
  ),
  tables: v.optional(
    v.pipe(patterns, v.description("feature tables to merge, by patterns of their names; without patterns, all")),
    [],
  ),
  excludeTables: v.optional(
    v.pipe(patterns, v.description("tables to leave out, by patterns of their names, also where --tables names them")),
    [],
  ),
  expectTables: v.optional(
    v.pipe(
      v.union([count("a number"), someText], "a whole number of at least 1, or a file"),
      v.description(
        "number of Parquet files that a pair must have, targets and excluded tables included, or a file that lists the table names",
      ),
    ),
  ),
  requireMarker: v.optional(v.pipe(flag, v.description("refuse a checkpoint without its _COMPLETE marker")), true),
  verify: v.optional(
    v.pipe(
      v.picklist(["structure", "sample", "full"], "structure, sample or full"),
      v.description("how much of the output to check before it is published"),
    ),
    "structure",
  ),
  replace: v.optional(
    v.pipe(flag, v.description("replace an existing output that was made from other inputs or settings")),
    false,
  ),
  sync: v.optional(
    v.pipe(flag, v.description("flush the output to disk before it is published, so that it survives a power cut")),
    true,
  ),
  log: v.optional(
    v.pipe(
      v.picklist(["auto", "text", "json"], "auto, text or json"),
      v.description(
        "format of the log on stderr; auto: text on a terminal and in continuous integration, JSON lines in other containers",
      ),
    ),
    "auto",
  ),
  quiet: v.optional(v.pipe(flag, v.description("log only warnings and errors, and show no progress")), false),
  verbose: v.optional(v.pipe(flag, v.description("log every stage and every table")), false),
  logEvery: v.optional(
    v.pipe(
      count("a whole number of at least 1"),
      v.description("number of tables between two progress lines in the log"),
    ),
    50,
  ),
  backend: v.optional(
    v.pipe(
      v.picklist(backendNames, "local, kubernetes or cloudrun"),
      v.description("where to merge the pairs of a run"),
    ),
    "local",
  ),
  parallelism: v.optional(
    v.pipe(
      v.union([auto, count(rowsText)], rowsText),
      v.description(
        "pairs merged at the same time; auto: as many as fit, on this machine at most one per CPU, on the other backends all",
      ),
    ),
    "auto",
  ),
  run: v.optional(v.pipe(RunId, v.description("id of the run, such as 2026-11-21-a"))),
  attempt: v.optional(v.pipe(Attempt, v.description("name of this attempt of a run's worker; default: the host name"))),
  memoryScope: v.optional(
    v.pipe(
      v.picklist(["container", "process"], "container or process"),
      v.description(
        "whose memory counts against the ceiling: that of the whole container, or only that of this merge's own processes, for several merges side by side",
      ),
    ),
    "container",
  ),
  memoryCeilings: v.optional(
    v.pipe(sizes, v.description("larger ceilings for pairs that ran out of memory; each retry uses the next one")),
    [],
  ),
  retries: v.optional(v.pipe(times, v.description("number of retries of a pair after storage or network failed")), 3),
  retriesUnexpected: v.optional(
    v.pipe(times, v.description("number of retries of a pair after an unexpected failure")),
    1,
  ),
  maxCost: v.optional(
    v.pipe(dollars, v.description("cost limit in US$; a pair whose estimate would exceed it is not started")),
  ),
  prices: v.optional(
    v.pipe(someText, v.description("price list, a YAML file; default: prices/google-us-central1.yaml")),
  ),
  assembly: v.optional(
    v.pipe(
      v.picklist(["auto", "stream", "compose"], "auto, stream or compose"),
      v.description(
        "how to assemble an output in a bucket: stream its bytes through the worker, or let Cloud Storage compose it from the inputs; auto: compose where possible",
      ),
    ),
    "auto",
  ),
  stallSeconds: v.optional(
    v.pipe(
      count("a whole number of at least 1"),
      v.description("seconds without progress after which a request to Cloud Storage is retried"),
    ),
    60,
  ),
  gcsEndpoint: v.optional(
    v.pipe(v.string("a URL"), v.url("a URL"), v.description("endpoint of a Cloud Storage emulator")),
  ),
  ...kubernetesEntries,
  ...cloudRunEntries,
});

export type Settings = Readonly<v.InferOutput<typeof Settings>>;
export type SettingName = keyof typeof Settings.entries;
export const settingNames = Object.keys(Settings.entries) as readonly SettingName[];

/** Settings that are sizes in bytes. */
export const sizeSettings: readonly SettingName[] = ["memoryCeiling", "memoryWarn", "memoryFree", "diskFree"];

/** Settings of a run of several pairs, which have no meaning for the merge of one. */
const runOnlySettings: readonly SettingName[] = [
  "pairs",
  "backend",
  "parallelism",
  "memoryCeilings",
  "retries",
  "retriesUnexpected",
  "maxCost",
  "prices",
];

/** Settings that the merge of one pair takes. */
export const mergeSettings: readonly SettingName[] = settingNames.filter(
  (name) => !runOnlySettings.includes(name) && !Object.hasOwn({ ...kubernetesEntries, ...cloudRunEntries }, name),
);

/** Settings that say where the runs are and how to reach them. */
export const existingRunSettings: readonly SettingName[] = [
  "input",
  "output",
  "prices",
  "gcsEndpoint",
  "stallSeconds",
  "kubeContext",
  "namespace",
  "project",
  "region",
  "cloudRunEndpoint",
  "run",
  "log",
  "quiet",
];
export type VerifyLevel = Settings["verify"];
