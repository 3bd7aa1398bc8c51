/** A child process that turns a view into reports: drawing takes some 80 MiB, which the controller is not to hold. */
import type { PriceList } from "../model/cost.ts";
import type { RunView } from "../model/run.ts";
import { renderDocuments } from "./reports.ts";

/** Parent → child. */
export interface RenderOrder {
  readonly view: RunView;
  readonly prices: PriceList;
}

/** Child → parent: names and texts. */
export type Rendered = readonly (readonly [string, string])[];

process.once("message", async ({ view, prices }: RenderOrder) => {
  const documents: Rendered = [...(await renderDocuments(view, prices))];
  process.send?.(documents, () => process.disconnect?.());
});
