import { subscribe } from "node:diagnostics_channel";
import { ClientRequest, type IncomingMessage } from "node:http";

/** Host → milliseconds. */
const limits = new Map<string, number>();

/**
 * Aborts every request to a host on which no byte moves for this long, in either direction. The client accepts a time
 * limit but hands it to an HTTP library that ignores it, so its requests could wait for ever.
 */
export function limitStalls(host: string, milliseconds: number): void {
  if (limits.size === 0) subscribe("http.client.request.created", onRequest);
  limits.set(host, milliseconds);
}

function onRequest(message: unknown): void {
  if (typeof message !== "object" || message === null || !("request" in message)) return;
  const { request } = message;
  if (!(request instanceof ClientRequest)) return;
  const limit = limits.get(String(request.getHeader("host")));
  if (limit === undefined) return;
  // Once the answer has begun, only the answer's errors reach the client.
  let open: ClientRequest | IncomingMessage = request;
  request.once("response", (answer) => {
    open = answer;
    // The HTTP library cancels every time limit when an answer begins.
    process.nextTick(() => request.setTimeout(limit));
  });
  const stall = () => Object.assign(new Error(`no byte for ${limit / 1000} s`), { code: "ETIMEDOUT" });
  request.setTimeout(limit, () => open.destroy(stall()));
}
