import type { PairOutcome, RunView } from "../../../src/model/run.ts";
import { attemptOf, donePair, endAll, noFailures, recordOf, viewOf } from "../../support/run-view.ts";

/** Texts that a page, a picture or a spreadsheet must not interpret. */
export const attacks = [
  "<script>globalThis.ran=1;alert(1)</script>",
  `"><img src=https://example.invalid/x onerror=alert(1)>`,
  "</title></style></svg><script>alert(2)</script>",
  "'-alert(1)-' {b} {a|x} \\u003cscript\\u003e &lt;b&gt;",
  '=HYPERLINK("https://example.invalid")',
] as const;

/** A run in which every name and message from outside is an attack. */
export function hostileRun(): RunView {
  const pairs = attacks.map((attack, index): PairOutcome => {
    const whole = donePair(attack, index * 10, index * 10 + 60);
    const output = whole.output;
    if (index % 2 === 0 && output !== undefined) {
      const families = { ...output.families, [attack]: { spliced: 300, aligned: 7 } };
      const partialTables = [{ table: attack, rowsMatched: 1, rowsNullFilled: 99_999, rowsDropped: 0 }];
      return { ...whole, why: attack, output: { ...output, families, partialTables } };
    }
    const attempt = { ...attemptOf(attack, 5, 50, { exitCode: 3, reason: attack, message: attack }) };
    const problem = { what: attack, found: attack, fix: attack, table: attack };
    const records = [recordOf(attempt, attack, 3e8, [problem])];
    return {
      pair: attack,
      state: "failed",
      ...endAll([attempt], records),
      failures: { ...noFailures, input: 1 },
      why: attack,
    };
  });
  const settings = { key: attacks[0], rename: { [attacks[1]]: attacks[2] } };
  const names = { run: attacks[0], input: attacks[1], output: attacks[2], widemerge: attacks[1], settings };
  return viewOf(pairs, names);
}
