import type { Problem } from "../../model/failure.ts";
import { autopilotPod } from "../../model/platform-limits.ts";
import type { Launch } from "../../model/run.ts";
import { formatMemory, GiB } from "../../model/units.ts";
import type { KubernetesOptions } from "./options.ts";
import { countCpus } from "./pod.ts";

/** A node selector of another class, with other limits than the general-purpose one. */
const classLabel = "cloud.google.com/compute-class=";

/** What Autopilot would change about a launch's pods, or keep pending for ever. */
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
        fix: "ask for less (--memory-ceiling, --memory-ceilings, --cpu), or name another class: --node-selector cloud.google.com/compute-class=Balanced",
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
      what: `GKE Autopilot gives ${leastGiBPerVcpu} to ${mostGiBPerVcpu} GiB of memory to a virtual CPU, and would raise the one or the other at your cost`,
      found,
      fix: `set --cpu to ${least} up to ${most}, or change --memory-ceiling`,
    },
  ];
}
