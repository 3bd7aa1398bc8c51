/**
 * Price lists, and the costs that are computed from them. The schemas define the documents; `docs/report.schema.json` is
 * made from them. Money is in US dollars, times are in seconds, sizes in bytes.
 */
import * as v from "valibot";
import { backendNames } from "./backend-name.ts";
import { list, object } from "./schema.ts";

/** Everything that can have a price, with the unit of the price. */
export const priceUnits = {
  cloudRunVcpu: "vCPU-second",
  cloudRunMemory: "GiB-second",
  autopilotVcpu: "vCPU-hour",
  autopilotMemory: "GiB-hour",
  autopilotEphemeral: "GiB-hour",
  autopilotSpotVcpu: "vCPU-hour",
  autopilotSpotMemory: "GiB-hour",
  autopilotSpotEphemeral: "GiB-hour",
  autopilotCluster: "cluster-hour",
  computeVcpu: "vCPU-hour",
  computeMemory: "GiB-hour",
  storageMonth: "GB-month",
  storageClassA: "1,000 operations",
  storageClassB: "1,000 operations",
  bigqueryScan: "TiB",
  bigqueryMonth: "GB-month",
} as const;

export type PriceItem = keyof typeof priceUnits;

export const priceItems = Object.keys(priceUnits) as readonly PriceItem[];

export interface Price {
  readonly usd: number;
  /** Where the price was read. */
  readonly source: string;
  /** Computed from other prices because the source does not list it. */
  readonly inferred: boolean;
}

/** A dated list of prices. An item that it lacks has an unknown price, not a price of $0. */
export interface PriceList {
  readonly name: string;
  readonly region: string;
  /** The day on which the prices were read: 2026-11-21. */
  readonly date: string;
  readonly prices: Readonly<Partial<Record<PriceItem, Price>>>;
}

const text = v.string();
const amount = v.number();
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const count = (meaning: string) => v.pipe(whole, v.description(meaning));

export const PriceSource = object({
  name: text,
  region: text,
  date: v.pipe(text, v.description("the day on which the prices were read")),
  inferred: v.pipe(list(v.picklist(priceItems)), v.description("items whose price was computed from other prices")),
});
export type PriceSource = v.InferOutput<typeof PriceSource>;

export const CostLine = object({
  item: v.picklist(priceItems),
  what: v.pipe(text, v.description("the quantity, such as 8 vCPU × 3,600 s")),
  quantity: amount,
  unit: text,
  price: v.exactOptional(
    v.pipe(amount, v.description("US dollars per unit; absent if the list has no price for the item")),
  ),
  usd: v.exactOptional(v.pipe(amount, v.description("quantity × price; absent if the price is"))),
});
export type CostLine = v.InferOutput<typeof CostLine>;

export const Sum = object({
  usd: v.pipe(amount, v.description("US dollars; what is missing is not included")),
  missing: v.pipe(list(text), v.description("prices and measurements that the sum lacks; empty if it is complete")),
});
export type Sum = v.InferOutput<typeof Sum>;

const estimated = v.pipe(
  Sum,
  v.description("estimated from measured use and list prices, without free tiers, discounts and taxes"),
);
const billed = v.pipe(v.nullable(amount), v.description("what was billed; null if unknown"));

export const AttemptCost = object({
  id: text,
  launch: count("number of the launch, from 0"),
  start: v.exactOptional(text),
  end: v.exactOptional(text),
  seconds: v.pipe(amount, v.description("from start to end, or to now while it runs; 0 before it starts")),
  ended: v.pipe(text, v.description("waiting, running, or the word for its end, such as done or memory ceiling")),
  vcpu: amount,
  requestedBytes: count("requested memory"),
  peakBytes: v.exactOptional(count("largest working set; absent if the worker left no record")),
  chargedBytes: count("the larger of requested and used"),
  spot: v.boolean(),
  lines: list(CostLine),
  estimated,
  billed,
});
export type AttemptCost = v.InferOutput<typeof AttemptCost>;

/** `costs/<pair>.json`. */
export const PairCost = object({
  format: v.literal(1),
  run: text,
  pair: text,
  backend: v.picklist(backendNames),
  at: v.pipe(text, v.description("RFC 3339: when this was computed")),
  prices: PriceSource,
  basis: v.pipe(text, v.description("how the costs were computed")),
  attempts: list(AttemptCost),
  storedBytes: count("size of the output in a bucket; 0 if it is on a disk"),
  monthly: v.exactOptional(v.pipe(CostLine, v.description("one month of storage of the output; not in the sum"))),
  estimated,
  billed,
});
export type PairCost = v.InferOutput<typeof PairCost>;

export const RunCost = object({
  at: text,
  prices: PriceSource,
  basis: text,
  pairs: list(PairCost),
  lines: v.pipe(list(CostLine), v.description("costs of the run apart from its pairs, such as the cluster")),
  estimated,
  monthly: v.pipe(Sum, v.description("US dollars per month for the outputs in the bucket")),
  billed,
});
export type RunCost = v.InferOutput<typeof RunCost>;

/** The same work on another service: the same bytes, the same seconds. */
export const Alternative = object({
  name: text,
  basis: v.pipe(text, v.description("what the estimate assumes")),
  lines: list(CostLine),
  estimated: v.exactOptional(v.pipe(Sum, v.description("absent if it is not possible; the basis says why"))),
  wallSeconds: v.exactOptional(v.pipe(amount, v.description("with the parallelism of this run"))),
});
export type Alternative = v.InferOutput<typeof Alternative>;

const Resources = object({ vcpu: amount, memoryBytes: whole });

/** What the next run should request. */
export const RightSize = object({
  requested: v.pipe(Resources, v.description("the largest request of this run")),
  peakBytes: count("the largest working set of this run"),
  recommended: Resources,
  reason: text,
  before: v.pipe(Sum, v.description("compute of the merges, with this run's request")),
  after: v.pipe(Sum, v.description("the same seconds with the recommended request")),
});
export type RightSize = v.InferOutput<typeof RightSize>;

/** What a run would cost if every pair were started once. */
export interface CostForecast {
  readonly pairs: readonly { readonly pair: string; readonly lines: readonly CostLine[]; readonly estimated: Sum }[];
  readonly lines: readonly CostLine[];
  readonly estimated: Sum;
  readonly monthly: Sum;
  readonly basis: string;
  readonly prices: PriceSource;
}
