import { z } from "zod";
import { parseBytes } from "./units.ts";

const bytes = z.union([z.number(), z.string()]).transform((value, context) => {
  const parsed = typeof value === "number" ? value : parseBytes(value);
  if (parsed !== undefined && Number.isSafeInteger(parsed) && parsed >= 0) return parsed;
  context.addIssue({ code: "custom", message: "a size such as 50GiB, 15GB or a number of bytes" });
  return z.NEVER;
});

const auto = z.literal("auto");
const count = z.coerce.number().int();
const flag = z.union([z.boolean(), z.stringbool()]);
/** A pair becomes a folder, a file name and a label: letters, digits, "_" and "-", nothing that a path could hide in. */
const pairName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

export const Pair = z.string().regex(pairName, "letters, digits, _ and -, at most 63, such as audusd");

/** Every setting: its type, its default, and the sentence that `--help` prints. Same name as flag, variable and YAML key. */
export const Settings = z.strictObject({
  input: z.string().min(1).describe("folder that holds <pair>/<table>.parquet").default("checkpoints"),
  output: z.string().min(1).describe("folder for training_<pair>.parquet and its manifest").default("training"),
  pairs: z
    .union([
      z.array(Pair),
      z
        .string()
        .transform((list) => list.split(","))
        .pipe(z.array(Pair)),
    ])
    .describe("pairs of a run, separated by commas")
    .default([]),
  memoryCeiling: z
    .union([auto, bytes])
    .describe(
      "memory that the job must never exceed, such as 50GiB; auto: the container's limit, else 80% of the memory that is free, at most 50GiB",
    )
    .default("auto"),
  memoryWarn: z
    .union([auto, bytes])
    .describe("working set from which the merge slows down; auto: 90% of the ceiling")
    .default("auto"),
  memoryFree: bytes.describe("memory that must be free at the start").default(0),
  diskFree: z
    .union([auto, bytes])
    .describe("disk space that must be free at the start; auto: what the output needs")
    .default("auto"),
  key: z.string().min(1).describe("key column").default("interval_time"),
  targets: z.string().min(1).describe("name of the targets table").default("targets"),
  duplicates: z
    .enum(["error", "first", "last"])
    .describe("what to do with rows of a feature table that share a key")
    .default("error"),
  naming: z
    .enum(["prefix", "keep"])
    .describe("output columns: <table>_<column>, or the input's names as they are")
    .default("prefix"),
  rowGroupRows: z
    .union([auto, count.min(1).max(2 ** 31 - 1)])
    .describe("rows per row group of the output; auto: the layout that most input bytes already have")
    .default("auto"),
  expectTables: z
    .union([count.min(1), z.string().min(1)])
    .optional()
    .describe("number of Parquet files a pair must have, targets included, or a file that lists the table names"),
  requireMarker: flag.describe("refuse a checkpoint without its _COMPLETE marker").default(true),
  verify: z
    .enum(["structure", "sample", "full"])
    .describe("how much of the output is checked before it is published")
    .default("structure"),
  replace: flag.describe("replace an output that was made from other inputs").default(false),
  logEvery: count.min(1).describe("tables between two progress lines in the log").default(50),
});

export type Settings = Readonly<z.infer<typeof Settings>>;
export type SettingName = keyof Settings;
export type VerifyLevel = Settings["verify"];
