import type { KubeConfig, Library } from "./connect.ts";

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  /** The object after the change, or before its deletion. */
  readonly object: object;
}

/** "expired": the version to watch from is too old. "ended": the server or the network closed the stream, or the signal did. */
export type WatchEnd = "expired" | "ended";

/** Opens a stream of changes, and returns at its end. Never rejects. */
export function watchChanges(
  { library, config }: { readonly library: Library; readonly config: KubeConfig },
  path: string,
  query: Record<string, string | number>,
  onEvent: (event: WatchEvent) => void,
  signal: AbortSignal,
): Promise<WatchEnd> {
  return new Promise((resolve) => {
    const over = new AbortController();
    const finish = (end: WatchEnd): void => {
      signal.removeEventListener("abort", stop);
      over.abort();
      resolve(end);
    };
    const stop = (): void => finish("ended");
    signal.addEventListener("abort", stop);
    const receive = (type: string, object: unknown): void => {
      if (isEvent(type) && isObject(object)) onEvent({ type, object });
      else finish(endOf(object));
    };
    new library.Watch(config)
      .watch(path, query, receive, (error: unknown) => finish(endOf(error)))
      .then((connection) => {
        if (over.signal.aborted) connection.abort();
        else over.signal.addEventListener("abort", () => connection.abort());
      })
      .catch(() => finish("ended"));
  });
}

function isEvent(type: string): type is WatchEvent["type"] {
  return type === "ADDED" || type === "MODIFIED" || type === "DELETED" || type === "BOOKMARK";
}

function isObject(object: unknown): object is object {
  return typeof object === "object" && object !== null;
}

/** The server answers "410 Gone" as the status of the response or, once the stream is open, in an event. */
function endOf(object: unknown): WatchEnd {
  if (!isObject(object)) return "ended";
  const code = "code" in object ? object.code : "statusCode" in object ? object.statusCode : undefined;
  return code === 410 ? "expired" : "ended";
}
