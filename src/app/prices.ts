import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Settings } from "../config/settings.ts";
import { parsePrices } from "../cost/prices.ts";
import type { PriceList } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";

const shippedPrices = fileURLToPath(new URL("../../prices/google-us-central1.yaml", import.meta.url));

/** The price list in force. @throws Failure (usage) when it cannot be read */
export async function loadPrices({ prices = shippedPrices }: Pick<Settings, "prices">): Promise<PriceList> {
  const text = await readFile(prices, "utf8").catch((error: Error) => {
    const fix = "pass a YAML file like prices/google-us-central1.yaml to --prices";
    const problem = { what: `the price list ${prices} cannot be read`, found: error.message, fix };
    throw new Failure(ExitCode.usage, [problem]);
  });
  return parsePrices(text, prices);
}
