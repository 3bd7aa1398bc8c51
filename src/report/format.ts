/** Money and times for people. Sizes, counts and durations are in model/units.ts. */
import type { Sum } from "../model/cost.ts";

/** US dollars: "$16.25", "$1,204.00"; below 10 cents with two significant digits: "$0.031". */
export function formatUsd(usd: number): string {
  const digits = usd === 0 || usd >= 0.1 ? 2 : Math.min(8, 1 - Math.floor(Math.log10(usd)));
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** A sum, or what is known of it: "$1.20", "at least $1.20", "unknown". */
export function formatSum(sum: Sum): string {
  if (sum.missing.length === 0) return formatUsd(sum.usd);
  return sum.usd === 0 ? "unknown" : `at least ${formatUsd(sum.usd)}`;
}

/** A billed amount; a dash if it is unknown. */
export function formatBilled(usd: number | null): string {
  return usd === null ? "–" : formatUsd(usd);
}

/** What a sum lacks, as a sentence; empty for a complete sum. */
export function describeMissing(sum: Sum): string {
  return sum.missing.length === 0 ? "" : `Incomplete: ${sum.missing.join("; ")}.`;
}

/** RFC 3339 in UTC: "2026-11-21 06:00:00"; any other text unchanged. */
export function formatTime(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? text : new Date(time).toISOString().slice(0, 19).replace("T", " ");
}
