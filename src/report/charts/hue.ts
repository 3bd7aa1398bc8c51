/**
 * Colours are variables of the page's style sheet, so that one picture serves light and dark. The renderer writes
 * colours unescaped into attributes: a colour must be one of these constants.
 */
export const ink = "var(--ink)";
export const faint = "var(--faint)";
export const line = "var(--line)";
export const hue = {
  good: "var(--good)",
  bad: "var(--bad)",
  warn: "var(--warn)",
  info: "var(--info)",
  other: "var(--other)",
  violet: "var(--violet)",
} as const;
export type Hue = (typeof hue)[keyof typeof hue];
