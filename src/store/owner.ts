import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** A writer on another machine counts as dead when its staged files have not changed for this long. */
const staleMilliseconds = 60 * 60 * 1000;
/** Distinguishes this process from an earlier one with the same number: in a container that restarts, numbers repeat. */
const processToken = readStart(process.pid) ?? randomBytes(4).toString("hex");
const host = hostToken();

/** A unique name for a file or document that says which process made it. */
export function newOwner(): string {
  return `${host}-${process.pid}-${processToken}-${randomBytes(4).toString("hex")}`;
}

/** What this machine knows of the process of an owner; nothing of one that runs elsewhere. */
export function stateOfOwner(owner: string): "running" | "stopped" | "ended" | "elsewhere" {
  const [ownerHost, pid, token] = owner.split("-");
  if (ownerHost !== host) return "elsewhere";
  if (!isAlive(Number(pid), token)) return "ended";
  return isStopped(Number(pid)) ? "stopped" : "running";
}

/** Whether the process of an owner has ended; `changed`: when its file last changed, in milliseconds since 1970. */
export function isOwnerDead(owner: string, changed: number): boolean {
  const state = stateOfOwner(owner);
  return state === "elsewhere" ? Date.now() - changed > staleMilliseconds : state === "ended";
}

/** Where every container is called "localhost", the name identifies no machine: no other process counts as one of this machine. */
function hostToken(): string {
  const name = hostname().replace(/[^A-Za-z0-9]/g, "");
  return name === "localhost" ? `localhost${randomBytes(8).toString("hex")}` : name;
}

/** Whether the process that made a name still runs; its number may belong to another process by now. */
function isAlive(pid: number, token: string | undefined): boolean {
  if (pid === process.pid) return token === processToken;
  const start = readStart(pid);
  if (start !== undefined) return start === token;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * When a process started, in clock ticks since boot; "ended" for a zombie (orphans stay zombies in a container whose first
 * process does not reap). Undefined where the system has no /proc. proc(5), stat: the fields from the third on follow
 * the last parenthesis.
 */
function readStart(pid: number): string | undefined {
  const fields = readStat(pid);
  return fields?.[0] === "Z" || fields?.[0] === "X" ? "ended" : fields?.[19];
}

/** Whether a process is suspended, by a signal or a debugger; false where the system has no /proc. */
function isStopped(pid: number): boolean {
  return /^[Tt]$/.test(readStat(pid)?.[0] ?? "");
}

function readStat(pid: number): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    return undefined;
  }
}
