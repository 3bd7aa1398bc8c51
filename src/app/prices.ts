import { fileURLToPath } from "node:url";
import { readYamlBytes } from "../config/read-file.ts";
import type { Settings } from "../config/settings.ts";
import { parsePrices } from "../cost/prices.ts";
import type { PriceList } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";

const shippedPrices = fileURLToPath(new URL("../../prices/google-us-central1.yaml", import.meta.url));

/** The price list in force. @throws Failure (usage) when it cannot be read */
export async function loadPrices({ prices = shippedPrices }: Pick<Settings, "prices">): Promise<PriceList> {
  return parsePrices(readBytes(prices), prices);
}

function readBytes(prices: string): Uint8Array {
  try {
    return readYamlBytes(prices);
  } catch (error) {
    const fix = "pass a YAML file like prices/google-us-central1.yaml to --prices";
    const found = error instanceof Error ? error.message : String(error);
    throw new Failure(ExitCode.usage, [{ what: `the price list ${prices} cannot be read`, found, fix }]);
  }
}
