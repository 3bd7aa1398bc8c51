import type { KubeConfig, Library } from "./connect.ts";

/** "expired": the version to watch from is too old. "ended": the server or the network closed the stream. */
export type WatchEnd = "changed" | "expired" | "ended";

/** Opens a stream of changes and returns at the first one, or at the end of the stream. Never rejects. */
export function watchOnce(
  library: Library,
  config: KubeConfig,
  path: string,
  query: Record<string, string | number>,
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
    const onEvent = (type: string, object: unknown): void => {
      if (type !== "BOOKMARK") finish(type === "ERROR" ? endOf(object) : "changed");
    };
    new library.Watch(config)
      .watch(path, query, onEvent, (error: unknown) => finish(endOf(error)))
      .then((connection) => {
        if (over.signal.aborted) connection.abort();
        else over.signal.addEventListener("abort", () => connection.abort());
      })
      .catch(() => finish("ended"));
  });
}

/** The server answers "410 Gone" as the status of the response or, once the stream is open, in an event. */
function endOf(object: unknown): WatchEnd {
  if (typeof object !== "object" || object === null) return "ended";
  const code = "code" in object ? object.code : "statusCode" in object ? object.statusCode : undefined;
  return code === 410 ? "expired" : "ended";
}
