/** The level at which the guard stops a merge. A predicted peak must stay below it. */
import { MiB } from "./units.ts";

/** The guard stops a merge whose working set reaches this share of the ceiling. */
export const stopShare = 0.97;

/** Whether a predicted peak fits under a ceiling; both in bytes. */
export function fitsUnder(ceilingBytes: number, predictedBytes: number): boolean {
  return predictedBytes <= ceilingBytes * stopShare;
}

/** The smallest ceiling, in whole MiB, under which a predicted peak fits. */
export function smallestCeilingMiB(predictedBytes: number): number {
  return Math.ceil(predictedBytes / stopShare / MiB);
}
