import * as v from "valibot";
import { backendNames } from "../model/backend-name.ts";
import { Pair, RunId } from "../model/names.ts";
import { parseBytes } from "../model/units.ts";
import { cloudRunEntries } from "./cloudrun.ts";
import { kubernetesEntries } from "./kubernetes.ts";

const sizeText = "a size such as 50GiB, 15GB or a number of bytes";
const size = v.pipe(
  v.union([v.number(), v.string()], sizeText),
  v.transform((value) => (typeof value === "number" ? value : parseBytes(value))),
  v.number(sizeText),
  v.safeInteger(sizeText),
  v.minValue(0, sizeText),
);

const flagText = "true or false";
const flag = v.union(
  [
    v.boolean(),
    v.pipe(
      v.picklist(["true", "false"]),
      v.transform((text) => text === "true"),
    ),
  ],
  flagText,
);
const auto = v.literal("auto");

/** A whole number from 1 on, as a number or as text. */
function count(message: string): v.GenericSchema<number | string, number> {
  return v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.digits())], message),
    v.transform(Number),
    v.integer(message),
    v.minValue(1, message),
    v.maxValue(2 ** 31 - 1, message),
  );
}

const pairText = "pair names of letters, digits, _ and -, at most 63, such as audusd";

const attemptText = "letters, digits, ., _ and -, at most 120";
/** An attempt becomes a file name. */
const Attempt = v.pipe(v.string(attemptText), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/, attemptText));

const timesText = "a whole number from 0 on";
const times = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.digits())], timesText),
  v.transform(Number),
  v.integer(timesText),
  v.minValue(0, timesText),
  v.maxValue(1000, timesText),
);

const dollarsText = "an amount of $ such as 20 or 2.50";
const dollars = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.decimal())], dollarsText),
  v.transform(Number),
  v.finite(dollarsText),
  v.minValue(0, dollarsText),
);

const percentText = "a percentage from 0 to 100, such as 50%";
const percent = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+(\.\d+)?%?$/, percentText))], percentText),
  v.transform((value) => Number(String(value).replace("%", ""))),
  v.finite(percentText),
  v.minValue(0, percentText),
  v.maxValue(100, percentText),
);

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

const someText = v.pipe(v.string("a text"), v.nonEmpty("a text that is not empty"));
const rowsText = "auto, or a whole number from 1 on";

/** Every setting: its type, its default, and the sentence that `--help` prints. Same name as flag, variable and YAML key. */
export const Settings = v.strictObject({
  input: v.optional(
    v.pipe(someText, v.description("folder that holds <pair>/<table>.parquet, also gs://bucket/prefix")),
    "checkpoints",
  ),
  output: v.optional(
    v.pipe(someText, v.description("folder for training_<pair>.parquet and its manifest, also gs://bucket/prefix")),
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
        "pairs of a run, separated by commas; default: those of an existing run, else every checkpoint under the input",
      ),
    ),
    [],
  ),
  memoryCeiling: v.optional(
    v.pipe(
      v.union([auto, size], `auto, or ${sizeText}`),
      v.description(
        "memory that the job must never exceed; auto: the container's limit, else 80% of the free memory, at most 50GiB",
      ),
    ),
    "auto",
  ),
  memoryWarn: v.optional(
    v.pipe(
      v.union([auto, size], `auto, or ${sizeText}`),
      v.description("working set from which the merge slows down; auto: 90% of the ceiling"),
    ),
    "auto",
  ),
  memoryFree: v.optional(v.pipe(size, v.description("memory that must be free at the start")), 0),
  diskFree: v.optional(
    v.pipe(
      v.union([auto, size], `auto, or ${sizeText}`),
      v.description("disk space that must be free at the start; auto: what the output needs"),
    ),
    "auto",
  ),
  key: v.optional(v.pipe(someText, v.description("key column")), "interval_time"),
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
        "share of the targets' keys below which a feature table is warned of; a table that has none of them is refused, unless this is 0",
      ),
    ),
    "50%",
  ),
  naming: v.optional(
    v.pipe(
      v.picklist(["prefix", "keep"], "prefix or keep"),
      v.description("output columns: <table>_<column>, or the input's names as they are"),
    ),
    "prefix",
  ),
  rowGroupRows: v.optional(
    v.pipe(
      v.union([auto, count(rowsText)], rowsText),
      v.description("rows per row group of the output; auto: the layout that most input bytes already have"),
    ),
    "auto",
  ),
  expectTables: v.optional(
    v.pipe(
      v.union([count("a number"), someText], "a number from 1 on, or a file"),
      v.description("number of Parquet files a pair must have, targets included, or a file that lists the table names"),
    ),
  ),
  requireMarker: v.optional(v.pipe(flag, v.description("refuse a checkpoint without its _COMPLETE marker")), true),
  verify: v.optional(
    v.pipe(
      v.picklist(["structure", "sample", "full"], "structure, sample or full"),
      v.description("how much of the output is checked before it is published"),
    ),
    "structure",
  ),
  replace: v.optional(v.pipe(flag, v.description("replace an output that was made from other inputs")), false),
  sync: v.optional(
    v.pipe(flag, v.description("flush the output to disk before it is published, so that a power cut cannot take it")),
    true,
  ),
  logEvery: v.optional(
    v.pipe(count("a whole number from 1 on"), v.description("tables between two progress lines in the log")),
    50,
  ),
  backend: v.optional(
    v.pipe(
      v.picklist(backendNames, "local, kubernetes or cloudrun"),
      v.description("where the pairs of a run are merged"),
    ),
    "local",
  ),
  parallelism: v.optional(
    v.pipe(
      v.union([auto, count(rowsText)], rowsText),
      v.description("pairs of a run merged at the same time; auto: as many as fit, here one a CPU, elsewhere all"),
    ),
    "auto",
  ),
  run: v.optional(v.pipe(RunId, v.description("run that the merge belongs to, such as 2026-11-21-a"))),
  attempt: v.optional(v.pipe(Attempt, v.description("name of this start of a run's worker; default: the host's name"))),
  memoryScope: v.optional(
    v.pipe(
      v.picklist(["container", "process"], "container or process"),
      v.description(
        "whose memory counts against the ceiling: all of the container's, or this merge's own processes only, for several merges side by side",
      ),
    ),
    "container",
  ),
  memoryCeilings: v.optional(
    v.pipe(
      sizes,
      v.description("ceilings for another try, one after the other, of the pairs of a run that ran out of memory"),
    ),
    [],
  ),
  retries: v.optional(
    v.pipe(times, v.description("times that a pair of a run is tried again after storage or network failed")),
    3,
  ),
  retriesUnexpected: v.optional(
    v.pipe(times, v.description("times that a pair of a run is tried again after an unexpected failure")),
    1,
  ),
  maxCost: v.optional(
    v.pipe(dollars, v.description("$ that a run may cost: what would pass it by the estimate is not started")),
  ),
  prices: v.optional(
    v.pipe(
      someText,
      v.description("price list, a YAML file; default: the one that is shipped, prices/google-us-central1.yaml"),
    ),
  ),
  assembly: v.optional(
    v.pipe(
      v.picklist(["auto", "stream", "compose"], "auto, stream or compose"),
      v.description(
        "how an output in a bucket is made: of bytes that pass through the worker, or of the inputs by the service itself; auto: compose where that works",
      ),
    ),
    "auto",
  ),
  stallSeconds: v.optional(
    v.pipe(
      count("a whole number from 1 on"),
      v.description("seconds after which a request to Cloud Storage that makes no progress is tried again"),
    ),
    60,
  ),
  gcsEndpoint: v.optional(
    v.pipe(v.string("a URL"), v.url("a URL"), v.description("endpoint of Cloud Storage, for emulators")),
  ),
  ...kubernetesEntries,
  ...cloudRunEntries,
});

export type Settings = Readonly<v.InferOutput<typeof Settings>>;
export type SettingName = keyof typeof Settings.entries;
export const settingNames = Object.keys(Settings.entries) as readonly SettingName[];

/** Settings of a run of several pairs, which mean nothing to the merge of one. */
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
];
export type VerifyLevel = Settings["verify"];
