/** The stages of a merge, in order. */
export type StageName = "inventory" | "preflight" | "plan" | "merge" | "footer" | "verify" | "publish";

/** The memory of the supervisor, the child and all processes that they started, in bytes. */
export interface MemoryRecord {
  readonly source: "cgroup2" | "cgroup1" | "rss";
  readonly peakBytes: number;
  readonly ceilingBytes: number;
  readonly warnings: number;
  /** The last samples, oldest first. */
  readonly samples: readonly MemorySample[];
}

export interface MemorySample {
  /** Seconds since the start. */
  readonly seconds: number;
  /** Working set in bytes. */
  readonly bytes: number;
}

/** Requests and bytes that went over the network, in the categories of the bill. */
export interface Traffic {
  /** Class A operations: writes, lists, compositions. */
  readonly classA: number;
  /** Class B operations: reads of objects and of their metadata. */
  readonly classB: number;
  /** Deletions. */
  readonly free: number;
  readonly bytesDown: number;
  readonly bytesUp: number;
}
