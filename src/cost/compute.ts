import type { BackendName } from "../model/backend-name.ts";
import type { CostLine, PriceItem, PriceList } from "../model/cost.ts";
import { formatCount, GiB } from "../model/units.ts";
import { priceLine } from "./cost-lines.ts";

/** Ephemeral storage that Autopilot gives, and charges, a pod that requests none: 1 GiB. */
const autopilotEphemeralGiB = 1;

/** A machine, or a share of one, for some seconds. */
export interface ComputeUse {
  readonly vcpu: number;
  readonly memoryBytes: number;
  readonly seconds: number;
}

/** How a service sells compute: the price items, and the seconds in the unit of their price. */
export interface Rates {
  readonly name: string;
  readonly vcpu: PriceItem;
  readonly memory: PriceItem;
  readonly ephemeral?: PriceItem;
  readonly secondsPerUnit: number;
  /** The shortest time that a start is charged for, in seconds. */
  readonly leastSeconds?: number;
}

export const cloudRun: Rates = {
  name: "Cloud Run jobs",
  vcpu: "cloudRunVcpu",
  memory: "cloudRunMemory",
  secondsPerUnit: 1,
  // Jobs have instance-based billing, "with a minimum of 1 minute" (cloud.google.com/run/pricing, billable time).
  leastSeconds: 60,
};
export const autopilot: Rates = {
  name: "GKE Autopilot, on demand",
  vcpu: "autopilotVcpu",
  memory: "autopilotMemory",
  ephemeral: "autopilotEphemeral",
  secondsPerUnit: 3600,
};
export const autopilotSpot: Rates = {
  name: "GKE Autopilot, Spot",
  vcpu: "autopilotSpotVcpu",
  memory: "autopilotSpotMemory",
  ephemeral: "autopilotSpotEphemeral",
  secondsPerUnit: 3600,
};
export const computeEngine: Rates = {
  name: "Compute Engine N2",
  vcpu: "computeVcpu",
  memory: "computeMemory",
  secondsPerUnit: 3600,
};

/** The rates of a backend; undefined for this machine, where compute costs nothing. */
export function ratesOf(backend: BackendName, spot: boolean): Rates | undefined {
  if (backend === "local") return undefined;
  if (backend === "cloudrun") return cloudRun;
  return spot ? autopilotSpot : autopilot;
}

/** How a backend's costs are computed, for people. */
export function describeBasis(backend: BackendName): string {
  if (backend === "local")
    return "Compute on this machine counts as $0; storage and operations in a bucket have a price.";
  const service =
    backend === "cloudrun"
      ? "Cloud Run jobs (at least one minute per attempt)"
      : "GKE Autopilot (Spot prices for attempts on Spot)";
  return `List prices of ${service}, without free tiers, discounts and taxes. Memory is charged at the larger of requested and used.`;
}

/** The seconds that one start of that length is charged for. */
export function chargedSeconds(seconds: number, rates: Rates): number {
  return Math.max(seconds, rates.leastSeconds ?? 0);
}

/** vCPU, memory and, where it is sold, ephemeral storage of one start. */
export function priceCompute(use: ComputeUse, rates: Rates, list: PriceList): CostLine[] {
  const seconds = chargedSeconds(use.seconds, rates);
  const units = seconds / rates.secondsPerUnit;
  const time = describeTime(seconds, rates);
  const gib = use.memoryBytes / GiB;
  const lines = [
    priceLine(rates.vcpu, use.vcpu * units, `${formatCount(use.vcpu)} vCPU × ${time}`, list),
    priceLine(rates.memory, gib * units, `${formatGiB(gib)} GiB memory × ${time}`, list),
  ];
  if (rates.ephemeral === undefined) return lines;
  const what = `${autopilotEphemeralGiB} GiB ephemeral storage × ${time}`;
  return [...lines, priceLine(rates.ephemeral, autopilotEphemeralGiB * units, what, list)];
}

function describeTime(seconds: number, rates: Rates): string {
  return rates.secondsPerUnit === 1 ? `${formatCount(Math.round(seconds))} s` : `${(seconds / 3600).toFixed(3)} h`;
}

function formatGiB(gib: number): string {
  return gib.toLocaleString("en-US", { maximumFractionDigits: 2 });
}
