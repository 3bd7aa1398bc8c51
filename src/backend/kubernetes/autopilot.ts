import type { Problem } from "../../model/failure.ts";
import { autopilotPod } from "../../model/platform-limits.ts";
import type { Launch } from "../../model/run.ts";
import { formatMemory, GiB } from "../../model/units.ts";
import type { KubernetesOptions } from "./options.ts";
import { countCpus } from "./pod.ts";

/** A node selector for another class, whose limits differ. */
const classLabel = "cloud.google.com/compute-class=";

/** What Autopilot would change in a launch's pods, or leave pending for ever. */
export function checkAutopilot({ ceilingBytes }: Pick<Launch, "ceilingBytes">, options: KubernetesOptions): Problem[] {
  if (!options.autopilot || options.nodeSelector.some((label) => label.startsWith(classLabel))) return [];
  const vcpu = countCpus(options.cpu, ceilingBytes);
  const found = `${formatMemory(ceilingBytes)} with ${vcpu} vCPU`;
  const { mostVcpu, mostGiB } = autopilotPod;
  if (ceilingBytes > mostGiB * GiB || vcpu > mostVcpu)
    return [
      {
        what: `a pod of GKE Autopilot's general-purpose class has at most ${mostVcpu} vCPU and ${mostGiB} GiB of memory`,
        found,
        fix: "use less (--memory-ceiling, --memory-ceilings, --cpu), or another class: --node-selector cloud.google.com/compute-class=Balanced",
      },
    ];
  return checkRatio(ceilingBytes / GiB, vcpu, found);
}

function checkRatio(gib: number, vcpu: number, found: string): Problem[] {
  const { leastGiBPerVcpu, mostGiBPerVcpu } = autopilotPod;
  const [least, most] = [Math.ceil((gib / mostGiBPerVcpu) * 4) / 4, Math.floor((gib / leastGiBPerVcpu) * 4) / 4];
  if (vcpu >= gib / mostGiBPerVcpu && vcpu <= gib / leastGiBPerVcpu) return [];
  return [
    {
      what: `GKE Autopilot requires ${leastGiBPerVcpu} to ${mostGiBPerVcpu} GiB of memory per vCPU, and would raise memory or CPUs at your cost`,
      found,
      fix: `set --cpu to ${least} up to ${most}, or change --memory-ceiling`,
    },
  ];
}
