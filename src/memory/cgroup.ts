import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The control group of this process for one controller, as far as its mount shows it. */
export interface Cgroup {
  readonly version: 1 | 2;
  /** The process's own group. */
  readonly dir: string;
  /** The top of the hierarchy that can be seen from here. */
  readonly mount: string;
}

interface Mount {
  readonly point: string;
  /** The group that the mount shows at its top. */
  readonly top: string;
  readonly type: string;
  readonly options: readonly string[];
}

interface Membership {
  readonly controllers: readonly string[];
  readonly path: string;
}

/**
 * Finds the process's own group for a controller: v1 where /proc/self/cgroup names the controller (hybrid machines keep
 * memory there beside an empty v2 mount), else v2. Undefined where there are no control groups at all.
 */
export function findCgroup(controller: "memory" | "cpu", root: string): Cgroup | undefined {
  const memberships = readMemberships(root);
  const own = memberships.find((line) => line.controllers.includes(controller));
  const version = own === undefined ? 2 : 1;
  const line = own ?? memberships.find((candidate) => candidate.controllers.length === 0);
  if (line === undefined) return undefined;
  const mount = readMounts(root).find((candidate) => holds(candidate, version, controller));
  return mount === undefined ? undefined : { version, ...locate(mount, line.path, root) };
}

/** The group and all groups above it, the own one first: a limit on any of them counts. */
export function listAncestors(cgroup: Cgroup): string[] {
  const dirs = [cgroup.dir];
  let dir = cgroup.dir;
  while (dir !== cgroup.mount && dir.length > cgroup.mount.length) {
    dir = dirname(dir);
    dirs.push(dir);
  }
  return dirs;
}

/**
 * Working set of a group in bytes: its memory without the file cache, active and inactive. The kubelet subtracts only the
 * inactive part; but a file that is written and read back for verification becomes active (258 MB of a 300 MB limit with
 * no process memory at all, measured), and the kernel drops it before it kills a process.
 */
export function readWorkingSet(version: 1 | 2, dir: string): number | undefined {
  const usage = readNumber(join(dir, version === 2 ? "memory.current" : "memory.usage_in_bytes"));
  if (usage === undefined) return undefined;
  const prefix = version === 2 ? "" : "total_";
  const stat = readText(join(dir, "memory.stat")) ?? "";
  const cache = readField(stat, `${prefix}inactive_file`) + readField(stat, `${prefix}active_file`);
  return Math.max(0, usage - cache);
}

/** Limit of one group in bytes; undefined for "max", a missing file, or a number at or above the machine's memory. */
export function readMemoryLimit(version: 1 | 2, dir: string, totalBytes: number): number | undefined {
  const limit = readNumber(join(dir, version === 2 ? "memory.max" : "memory.limit_in_bytes"));
  return limit !== undefined && limit < totalBytes ? limit : undefined;
}

/** CPUs that the quota of one group allows, fractions kept; undefined without a quota. */
export function readCpuQuota(version: 1 | 2, dir: string): number | undefined {
  const [quota, period] =
    version === 2
      ? (readText(join(dir, "cpu.max")) ?? "max").trim().split(/\s+/).map(Number)
      : [readNumber(join(dir, "cpu.cfs_quota_us")), readNumber(join(dir, "cpu.cfs_period_us"))];
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : undefined;
}

/** How many out-of-memory kills the kernel has counted in the group; undefined where it does not count them. */
export function readOomKills(cgroup: Cgroup): number | undefined {
  const text = readText(join(cgroup.dir, cgroup.version === 2 ? "memory.events" : "memory.oom_control"));
  const match = /^oom_kill (\d+)$/m.exec(text ?? "");
  return match === null ? undefined : Number(match[1]);
}

/** A file's text, or undefined where it cannot be read: files of /proc and /sys come and go. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function readNumber(path: string): number | undefined {
  const text = readText(path)?.trim() ?? "";
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function readField(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

function readMemberships(root: string): Membership[] {
  const lines = (readText(join(root, "/proc/self/cgroup")) ?? "").split("\n");
  return lines.flatMap((line) => {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    const controllers = match?.[1] ?? "";
    return match === null ? [] : [{ controllers: controllers.split(",").filter(Boolean), path: match[2] ?? "/" }];
  });
}

/** Mounts of control groups (proc(5), mountinfo: the fields after " - " are type, source and super options). */
function readMounts(root: string): Mount[] {
  const lines = (readText(join(root, "/proc/self/mountinfo")) ?? "").split("\n");
  return lines.flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [, , , top, point] = left.split(" ").map(unescapeMount);
    const [type = "", , options = ""] = right.split(" ");
    if (top === undefined || point === undefined || !type.startsWith("cgroup")) return [];
    return [{ point, top, type, options: options.split(",") }];
  });
}

function unescapeMount(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function holds(mount: Mount, version: 1 | 2, controller: string): boolean {
  return version === 2 ? mount.type === "cgroup2" : mount.type === "cgroup" && mount.options.includes(controller);
}

/** In a container the path can be the host's, which does not exist below the mount: then the mount's top is the own group. */
function locate(mount: Mount, path: string, root: string): Pick<Cgroup, "dir" | "mount"> {
  const point = join(root, mount.point);
  const inside = mount.top === "/" ? path : path === mount.top ? "" : stripPrefix(path, `${mount.top}/`);
  if (inside === undefined || inside.split("/").includes("..")) return { dir: point, mount: point };
  const dir = join(point, inside).replace(/\/+$/, "");
  return { dir: existsSync(dir) ? dir : point, mount: point };
}

function stripPrefix(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}
