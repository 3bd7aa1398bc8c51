/** Settings of the Kubernetes backend, as plain values; `config/kubernetes.ts` describes each. */
export interface KubernetesOptions {
  readonly kubeContext?: string | undefined;
  readonly namespace: string;
  readonly image?: string | undefined;
  readonly imagePullPolicy: "Always" | "IfNotPresent" | "Never";
  readonly serviceAccount?: string | undefined;
  /** `name:uid` of the Job that a run's Jobs belong to. */
  readonly owner?: string | undefined;
  readonly cpu: "auto" | number;
  readonly autopilot: boolean;
  readonly spot: boolean;
  readonly queue?: string | undefined;
  /** `key=value`. */
  readonly nodeSelector: readonly string[];
  /** `key[=value][:effect]`. */
  readonly tolerations: readonly string[];
  /** `name[:/folder]`. */
  readonly volumeClaim?: string | undefined;
  /** Seconds. */
  readonly deadline?: number | undefined;
  /** Seconds. */
  readonly keepFinished: number;
}
