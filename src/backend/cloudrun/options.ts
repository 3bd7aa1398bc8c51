/** Settings of the Cloud Run backend, as plain values; `config/cloudrun.ts` describes each. */
export interface CloudRunOptions {
  readonly project?: string | undefined;
  readonly region?: string | undefined;
  readonly cloudRunServiceAccount?: string | undefined;
  /** Seconds. */
  readonly taskTimeout: number;
  /** host:port of an emulator. */
  readonly cloudRunEndpoint?: string | undefined;
  readonly image?: string | undefined;
  readonly cpu: "auto" | number;
}
