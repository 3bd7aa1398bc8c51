/** Where the pairs of a run can be merged. */
export const backendNames = ["local", "kubernetes", "cloudrun"] as const;
export type BackendName = (typeof backendNames)[number];
