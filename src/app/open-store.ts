import type { Settings } from "../config/settings.ts";
import { createStore } from "../store/create-store.ts";
import type { Store } from "../store/store.ts";

/** A store for every path that a run reads or writes. */
export function openStore(settings: Settings): Promise<Store> {
  const { input, output, expectTables } = settings;
  return createStore(settings, [input, output, ...(typeof expectTables === "string" ? [expectTables] : [])]);
}
