/** Bytes in a mebibyte and in a gibibyte. */
export const MiB = 2 ** 20;
export const GiB = 2 ** 30;

const factors: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Bytes of "50GiB" (binary), "15GB" (decimal), "50Gi" (Kubernetes) or "1024"; undefined for any other text. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const unit = match?.[2] ?? "?";
  const factor = Object.hasOwn(factors, unit) ? factors[unit] : undefined;
  return match === null || factor === undefined ? undefined : Math.round(Number(match[1]) * factor);
}

/**
 * Bytes of a size as people write it: as `parseBytes`, in capitals or not, and with one letter for a decimal unit: "2G",
 * "2gb" and "2GB" are 2 × 10^9, "2GiB" and "2gi" are 2 × 2^30.
 */
export function parseSize(text: string): number | undefined {
  const named = /^(.*?)\s*([kmgt])(i?)b?$/i.exec(text.trim());
  if (named === null) return parseBytes(text.replace(/b$/, "B"));
  const [, number = "", prefix = "", binary = ""] = named;
  return parseBytes(`${number}${prefix.toUpperCase()}${binary.toLowerCase()}B`);
}

/** Bytes as a size that `parseSize` reads: "5368709120B". */
export function printSize(bytes: number): string {
  return `${bytes}B`;
}

/** A memory size in binary units: "1.20 GiB". */
export function formatMemory(bytes: number): string {
  return scale(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
}

/** A data size in decimal units, the units of storage prices: "13.5 GB". */
export function formatBytes(bytes: number): string {
  return scale(bytes, 1000, ["B", "kB", "MB", "GB", "TB"]);
}

/** A duration in seconds for people: "0.42 s", "12.7 s", "3 min 20 s". */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A number of things: "1 table", "16,988 columns". */
export function formatNumber(count: number, thing: string): string {
  return `${formatCount(count)} ${thing}${agree(count, "", "s")}`;
}

/** The word that agrees with a number of things: 1 table "has", 2 tables "have". */
export function agree(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}

/** 16988 → "16,988". */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Names that a message shows. */
const namesShown = 8;

/** Names in a message: "a, b", or the first of many: "a, b, … and 39,990 more"; empty for none. */
export function listNames(names: readonly string[], shown = namesShown): string {
  const more = names.length > shown ? ` and ${formatCount(names.length - shown)} more` : "";
  return `${names.slice(0, shown).join(", ")}${more}`;
}

function scale(value: number, base: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  while (rest >= base && unit < units.length - 1) {
    rest /= base;
    unit += 1;
  }
  const digits = unit === 0 ? 0 : rest < 10 ? 2 : rest < 100 ? 1 : 0;
  return `${rest.toFixed(digits)} ${units[unit]}`;
}
