/** The stages of a pair, in order. */
export type StageName = "inventory" | "preflight" | "plan" | "merge" | "footer" | "verify" | "publish";

/** Memory of the whole job: supervisor, child and what they started. Bytes. */
export interface MemoryRecord {
  readonly source: "cgroup2" | "cgroup1" | "rss";
  readonly peakBytes: number;
  readonly ceilingBytes: number;
  readonly warnings: number;
  /** The last samples, oldest first. */
  readonly samples: readonly MemorySample[];
}

export interface MemorySample {
  /** Seconds since the job started. */
  readonly seconds: number;
  /** Working set in bytes. */
  readonly bytes: number;
}
