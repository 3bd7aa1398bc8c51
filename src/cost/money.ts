import type { Sum } from "../model/cost.ts";

/** US dollars for people: "$16.25", "$1,204.00"; below a cent to two significant digits: "$0.0031". */
export function formatUsd(usd: number): string {
  const size = Math.abs(usd);
  const digits = size === 0 || size >= 0.01 ? 2 : Math.min(8, 1 - Math.floor(Math.log10(size)));
  const text = size.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${usd < 0 ? "−" : ""}$${text}`;
}

/** A sum, or what is known of it: "$1.20", "at least $1.20", "unknown". */
export function formatSum(sum: Sum): string {
  if (sum.missing.length === 0) return formatUsd(sum.usd);
  return sum.usd === 0 ? "unknown" : `at least ${formatUsd(sum.usd)}`;
}

/** What was billed: unknown here is a dash, never zero. */
export function formatBilled(usd: number | null): string {
  return usd === null ? "–" : formatUsd(usd);
}

/** The sentence that a sum's gaps need; empty for a complete one. */
export function describeMissing(sum: Sum): string {
  return sum.missing.length === 0 ? "" : `Incomplete: ${sum.missing.join("; ")}.`;
}
