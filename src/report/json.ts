import type { Report } from "../model/report.ts";

/** `report.json`; its schema is `docs/report.schema.json`. */
export function renderJson(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
