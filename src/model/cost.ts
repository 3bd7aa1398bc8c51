/**
 * What a run costs: price lists, and the costs that are computed from them. The schemas are the documents' definition;
 * `docs/report.schema.json` is made from them. Money in US dollars, times in seconds, sizes in bytes.
 */
import * as v from "valibot";
import { backendNames } from "./backend-name.ts";
import { list, object } from "./schema.ts";

/** Everything that can have a price, and the unit that the price is for. */
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
  /** Where it was read. */
  readonly source: string;
  /** Concluded from other prices, not read from the list itself. */
  readonly inferred: boolean;
}

/** A dated list of prices. An item that is not in it has no price, which is not the same as costing nothing. */
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
  inferred: v.pipe(list(v.picklist(priceItems)), v.description("items whose price was concluded from other prices")),
});
export type PriceSource = v.InferOutput<typeof PriceSource>;

export const CostLine = object({
  item: v.picklist(priceItems),
  what: v.pipe(text, v.description("how the quantity comes about: 8 vCPU × 3,600 s")),
  quantity: amount,
  unit: text,
  price: v.exactOptional(v.pipe(amount, v.description("US dollars a unit; absent: the list has no price for it"))),
  usd: v.exactOptional(v.pipe(amount, v.description("quantity × price; absent when the price is"))),
});
export type CostLine = v.InferOutput<typeof CostLine>;

export const Sum = object({
  usd: v.pipe(amount, v.description("US dollars, of all that is known")),
  missing: v.pipe(list(text), v.description("what the sum lacks: prices and measurements; empty: it is complete")),
});
export type Sum = v.InferOutput<typeof Sum>;

const estimated = v.pipe(
  Sum,
  v.description("computed from use and list prices, without free tiers, discounts and taxes"),
);
const billed = v.pipe(v.nullable(amount), v.description("what was billed; null: unknown"));

export const AttemptCost = object({
  id: text,
  launch: count("number of the launch, from 0"),
  start: v.exactOptional(text),
  end: v.exactOptional(text),
  seconds: v.pipe(amount, v.description("from start to end, or to now while it runs; 0 before it starts")),
  ended: v.pipe(text, v.description("running, waiting, done, or the cause of its end")),
  vcpu: amount,
  requestedBytes: count("memory asked for"),
  peakBytes: v.exactOptional(count("largest working set; absent: the worker was killed before it could say")),
  chargedBytes: count("the larger of asked for and used"),
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
  basis: v.pipe(text, v.description("which rates were used, in one sentence")),
  attempts: list(AttemptCost),
  storedBytes: count("size of the output in a bucket; 0 where it lies on a disk"),
  monthly: v.exactOptional(v.pipe(CostLine, v.description("storage of the output for a month; not in the sum"))),
  estimated,
  billed,
});
export type PairCost = v.InferOutput<typeof PairCost>;

export const RunCost = object({
  at: text,
  prices: PriceSource,
  basis: text,
  pairs: list(PairCost),
  lines: v.pipe(list(CostLine), v.description("what the run costs beside its pairs, such as the cluster")),
  estimated,
  monthly: v.pipe(Sum, v.description("US dollars a month for the outputs in the bucket")),
  billed,
});
export type RunCost = v.InferOutput<typeof RunCost>;

/** The same work done another way: the same bytes, the same seconds. */
export const Alternative = object({
  name: text,
  basis: v.pipe(text, v.description("the formula's inputs, in one sentence")),
  lines: list(CostLine),
  estimated: v.exactOptional(v.pipe(Sum, v.description("absent: it cannot be done this way; the basis says why"))),
  wallSeconds: v.exactOptional(v.pipe(amount, v.description("with as many pairs at once as in this run"))),
});
export type Alternative = v.InferOutput<typeof Alternative>;

const Resources = object({ vcpu: amount, memoryBytes: whole });

/** What the next run should ask for. */
export const RightSize = object({
  requested: v.pipe(Resources, v.description("the largest request of this run")),
  peakBytes: count("the largest working set of this run"),
  recommended: Resources,
  reason: text,
  before: v.pipe(Sum, v.description("compute of the attempts that ended well, as requested")),
  after: v.pipe(Sum, v.description("the same seconds with the recommended request")),
});
export type RightSize = v.InferOutput<typeof RightSize>;

/** One pair of a run that has not begun: what it will ask for and, as predicted, take. */
export interface ForecastPair {
  readonly pair: string;
  readonly seconds: number;
  readonly vcpu: number;
  readonly memoryBytes: number;
  /** Whether this pair runs on Spot capacity; as the rest of the run unless given. */
  readonly spot?: boolean;
  readonly outputBytes: number;
  /** Storage operations, where they are predicted. */
  readonly classA?: number;
  readonly classB?: number;
}

/** A run's cost before it runs, each pair started once. */
export interface CostForecast {
  readonly pairs: readonly { readonly pair: string; readonly lines: readonly CostLine[]; readonly estimated: Sum }[];
  readonly lines: readonly CostLine[];
  readonly estimated: Sum;
  readonly monthly: Sum;
  readonly basis: string;
  readonly prices: PriceSource;
}
