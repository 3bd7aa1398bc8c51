import type { IncomingMessage } from "node:http";

/** What a request asks of Cloud Storage. */
export type RequestKind =
  | "list"
  | "metadata"
  | "media"
  | "upload"
  | "resumable start"
  | "resumable chunk"
  | "resumable status"
  | "compose"
  | "copy"
  | "delete"
  | "other";

/** One request as it went over the wire. */
export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly kind: RequestKind;
  /** Place among the requests of its kind, from 1. */
  readonly ordinal: number;
  /** Content-Range of the request; empty where it has none. */
  readonly range: string;
  /** The request sends the end of a resumable upload. */
  readonly lastChunk: boolean;
  /** Body bytes of the client that were let through. */
  requestBytes: number;
  /** Body bytes of the server that were let through. */
  responseBytes: number;
  /** Status that the client got; undefined while it has none. */
  status: number | undefined;
  /** The fault that was put on it. */
  fault: string | undefined;
}

/** A request before anything of its body has moved; `count` has how many there were of each kind so far. */
export function describeRequest(request: IncomingMessage, count: ReadonlyMap<RequestKind, number>): Exchange {
  const [method, path] = [request.method ?? "", request.url ?? ""];
  const range = request.headers["content-range"] ?? "";
  const kind = classify(method, path, range);
  const ordinal = (count.get(kind) ?? 0) + 1;
  const open = { requestBytes: 0, responseBytes: 0, status: undefined, fault: undefined };
  return { method, path, kind, ordinal, range, lastChunk: kind === "resumable chunk" && reachesEnd(range), ...open };
}

function classify(method: string, path: string, range: string): RequestKind {
  const url = new URL(path, "http://any");
  if (url.pathname.startsWith("/upload/")) return classifyUpload(method, url, range);
  if (url.pathname.startsWith("/download/") || url.searchParams.get("alt") === "media") return "media";
  if (!/^\/storage\/v1\/b\/[^/]+\/o(\/|$)/.test(url.pathname)) return "other";
  if (method === "DELETE") return "delete";
  if (method === "POST" && url.pathname.endsWith("/compose")) return "compose";
  if (method === "POST" && /\/(rewriteTo|copyTo)\/b\//.test(url.pathname)) return "copy";
  if (method !== "GET") return "other";
  return url.pathname.endsWith("/o") ? "list" : "metadata";
}

function classifyUpload(method: string, url: URL, range: string): RequestKind {
  if (url.searchParams.has("upload_id")) {
    if (method !== "PUT") return "other";
    return /^bytes \*\//.test(range) ? "resumable status" : "resumable chunk";
  }
  return url.searchParams.get("uploadType") === "resumable" ? "resumable start" : "upload";
}

/** Without a range, or with an open one, a body is all that is left; a closed one must meet the total. */
function reachesEnd(range: string): boolean {
  const match = /^bytes \d+-(\d+|\*)\/(\d+|\*)$/.exec(range);
  if (match === null) return true;
  return match[1] === "*" || Number(match[1]) + 1 === Number(match[2]);
}
