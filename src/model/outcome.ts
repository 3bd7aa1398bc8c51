/**
 * What a worker leaves when it ends: one JSON document. In a pod it is the termination message, on this machine a file.
 * The record in the store (`WorkerRecord`) says the same at full length.
 */
import * as v from "valibot";
import { ExitCode, type Outcome, outcomeOf } from "./exit-code.ts";
import { describeProblem } from "./failure.ts";
import type { PairResult } from "./result.ts";
import { list } from "./schema.ts";
import { formatMemory, formatNumber, formatSeconds } from "./units.ts";

/** The environment variable with the path where a worker leaves its outcome. */
export const outcomeVariable = "TERMINATION_MESSAGE_PATH";

/** Kubernetes keeps this many bytes of a termination message. */
const outcomeBytes = 4096;
/** Bytes of JSON that the sentence may take; the rest is for the problems. */
const messageBytes = 1200;
/** Characters of a message that is shown to people. */
const messageLength = 1000;

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const outcomes: readonly Outcome[] = [...Object.values(outcomeOf), "already done"];
/** A problem in a document. */
export const ProblemDocument = v.object({
  what: v.string(),
  found: v.exactOptional(v.string()),
  fix: v.string(),
  table: v.exactOptional(v.string()),
  more: v.exactOptional(whole),
});

/** Entries that this version does not know are ignored. Sizes in bytes. */
export const WorkerOutcome = v.object({
  /** One line for people. The first entry, so that `kubectl` shows it first. */
  message: v.string(),
  format: v.literal(1),
  pair: v.string(),
  exitCode: v.picklist(Object.values(ExitCode)),
  outcome: v.picklist(outcomes),
  seconds: v.number(),
  peakMemoryBytes: whole,
  ceilingBytes: whole,
  /** How many tables were merged; absent where the merge did not get that far. */
  progress: v.exactOptional(v.object({ tablesDone: whole, tables: whole })),
  problems: list(ProblemDocument),
  /** How many more problems the record in the store has. */
  problemsOmitted: v.exactOptional(whole),
});
export type WorkerOutcome = Readonly<v.InferOutput<typeof WorkerOutcome>>;

/** The outcome of a merge. `progress` is what the worker reported last. */
export function toOutcome(result: PairResult, progress?: WorkerOutcome["progress"]): WorkerOutcome {
  const { pair, exitCode, outcome, seconds, peakMemoryBytes, ceilingBytes, problems } = result;
  return {
    message: describeResult(result),
    format: 1,
    pair,
    exitCode,
    outcome,
    seconds: Math.round(seconds * 1000) / 1000,
    peakMemoryBytes,
    ceilingBytes,
    ...(progress === undefined ? {} : { progress }),
    problems,
  };
}

/** "audusd: exit 4 memory ceiling: …", one line. */
function describeResult(result: PairResult): string {
  const { pair, exitCode, outcome, rows, columns, seconds, peakMemoryBytes, ceilingBytes, problems } = result;
  const [first, ...others] = problems;
  const size = `${formatNumber(rows, "row")} × ${formatNumber(columns, "column")}`;
  const text = first === undefined ? size : describeProblem(first);
  const more = others.length > 0 ? ` (and ${others.length} more)` : "";
  const peak = `peak ${formatMemory(peakMemoryBytes)} of ${formatMemory(ceilingBytes)}`;
  return toLine(`${pair}: exit ${exitCode} ${outcome}: ${text}${more}; ${formatSeconds(seconds)}, ${peak}`);
}

/** The document as JSON in at most 4,096 bytes of UTF-8: the last problems are left out and counted. */
export function encodeOutcome(outcome: WorkerOutcome): string {
  const json = JSON.stringify(outcome);
  if (Buffer.byteLength(json) <= outcomeBytes) return json;
  const { problems, problemsOmitted = 0, ...rest } = outcome;
  const most = { ...rest, message: cutText(outcome.message, messageBytes), problems: [] };
  let left = outcomeBytes - jsonBytes({ ...most, problemsOmitted: problemsOmitted + problems.length });
  const cut = problems.findIndex((problem) => {
    left -= jsonBytes(problem) + ",".length;
    return left < 0;
  });
  const kept = cut === -1 ? problems : problems.slice(0, cut);
  const omitted = problemsOmitted + problems.length - kept.length;
  return JSON.stringify({ ...most, problems: kept, ...(omitted > 0 ? { problemsOmitted: omitted } : {}) });
}

/** The document in a text; undefined for any text that is not such a document. */
export function decodeOutcome(text: string | undefined): WorkerOutcome | undefined {
  const { success, output } = v.safeParse(WorkerOutcome, parseJson(text));
  return success ? { ...output, message: toLine(output.message) } : undefined;
}

/** Any text as one line of plain text of at most 1,000 characters. */
export function toLine(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, messageLength);
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The beginning of a text that takes at most so many bytes as a JSON string. */
function cutText(text: string, mostBytes: number): string {
  let left = mostBytes - jsonBytes("…");
  if (jsonBytes(text) <= mostBytes) return text;
  const characters: string[] = [];
  for (const character of text) {
    left -= jsonBytes(character) - jsonBytes("");
    if (left < 0) break;
    characters.push(character);
  }
  return `${characters.join("")}…`;
}
