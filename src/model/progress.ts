/** The progress of a worker on this machine: a small JSON file that the worker replaces about once a second. */
import * as v from "valibot";

/** The environment variable with the path where a worker leaves its progress. */
export const progressVariable = "WIDEMERGE_PROGRESS_PATH";

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
export const TaskProgress = v.object({ tablesDone: whole, tables: whole, workingSetBytes: whole });
export type TaskProgress = Readonly<v.InferOutput<typeof TaskProgress>>;

const ProgressDocument = v.object({ format: v.literal(1), ...TaskProgress.entries });

/** The document as JSON. */
export function encodeProgress(progress: TaskProgress): string {
  return JSON.stringify({ format: 1, ...progress });
}

/** The progress in a text; undefined for any text that is not such a document. */
export function decodeProgress(text: string): TaskProgress | undefined {
  try {
    const { format: _, ...progress } = v.parse(ProgressDocument, JSON.parse(text));
    return progress;
  } catch {
    return undefined;
  }
}
