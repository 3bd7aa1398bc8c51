import { once } from "node:events";
import { Agent, type ClientRequest, type IncomingMessage, request as open, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Fault } from "./faults.ts";
import { drain, pump } from "./pump.ts";
import type { Exchange } from "./wire.ts";

/** A request on its way through the proxy. */
export interface Passage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  /** Origin of the server. */
  readonly target: string;
}

/** Connections to the server are not kept: a reset must not hit the request after the one that it is meant for. */
const agent = new Agent({ keepAlive: false });
/** A server that has not closed a broken connection by then is left to itself. */
const serverSeconds = 2;
const forever = new Promise<never>(() => {});

/** Takes a request to the server and the answer back, with the fault on it, if any. */
export async function relay(passage: Passage, fault: Fault | undefined): Promise<void> {
  switch (fault?.kind) {
    case undefined:
      return deliver(passage, await forward(passage, passage.request));
    case "answer":
      return answerInstead(passage, fault);
    case "other range":
      passage.request.headers.range = fault.range;
      // A client that breaks off an answer must not break the next request on its connection.
      passage.response.setHeader("connection", "close");
      return deliver(passage, await forward(passage, passage.request));
    case "alter":
      return alter(passage);
    case "duplicate":
      return forwardTwice(passage, fault.answer);
    case "lose response":
      await drain(await forward(passage, passage.request));
      return reset(passage);
    case "reset":
      await cut(passage, fault.at);
      return reset(passage);
    case "stall":
      await cut(passage, fault.at);
      return forever;
  }
}

/** Lets bytes through up to a place: of the request, or of the response to the whole request. */
async function cut(passage: Passage, at: { requestBytes: number } | { responseBytes: number }): Promise<void> {
  if ("responseBytes" in at) return deliver(passage, await forward(passage, passage.request), at.responseBytes);
  const upstream = connect(passage);
  await pump(passage.request, upstream, at.requestBytes, passage.exchange, "requestBytes");
  await breakOff(upstream);
}

/** Ends the connection to the server in mid-request; resolves once the server has dealt with what it got. */
async function breakOff(upstream: ClientRequest): Promise<void> {
  upstream.on("response", (answer: IncomingMessage) => answer.resume());
  await new Promise((resolve) => upstream.write("", resolve));
  upstream.socket?.end();
  const patience = AbortSignal.timeout(serverSeconds * 1000);
  await once(upstream, "close", { signal: patience }).catch(() => {});
  upstream.destroy();
}

async function answerInstead(passage: Passage, fault: Extract<Fault, { readonly kind: "answer" }>): Promise<void> {
  const { status, requestBytes, body } = fault;
  if (requestBytes !== undefined) await cut(passage, { requestBytes });
  passage.request.resume();
  passage.exchange.status = status;
  const reason = status === 429 ? "rateLimitExceeded" : "backendError";
  const error = { code: status, message: "Injected fault.", errors: [{ domain: "global", reason }] };
  const headers = { "content-type": "application/json; charset=UTF-8", connection: "close" };
  passage.response.writeHead(status, headers).end(body ?? JSON.stringify({ error }));
}

async function alter(passage: Passage): Promise<void> {
  const answer = await forward(passage, passage.request);
  const body = Buffer.concat(await answer.toArray());
  body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1);
  passage.exchange.status = answer.statusCode;
  passage.response.writeHead(answer.statusCode ?? 502, answer.headers).end(body);
}

async function forwardTwice(passage: Passage, which: "first" | "second"): Promise<void> {
  const body = Buffer.concat(await passage.request.toArray());
  passage.exchange.requestBytes = body.length;
  const first = await forward(passage, Readable.from([body]));
  if (which === "second") await drain(first);
  const kept = which === "first" ? Buffer.concat(await first.toArray()) : undefined;
  const second = await forward(passage, Readable.from([body]));
  if (kept === undefined) return deliver(passage, second);
  await drain(second);
  passage.exchange.status = first.statusCode;
  passage.exchange.responseBytes = kept.length;
  passage.response.writeHead(first.statusCode ?? 502, first.headers).end(kept);
}

function reset(passage: Passage): void {
  passage.request.socket.resetAndDestroy();
}

function connect({ request, target }: Passage): ClientRequest {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([, value]) => value !== undefined));
  const upstream = open(new URL(request.url ?? "", target), { agent, method: request.method, headers });
  upstream.on("error", () => {}); // heard by those who wait for the answer
  return upstream;
}

/** Sends a request with this body; resolves once the answer's head is there, even if the body is not all sent yet. */
async function forward(passage: Passage, body: Readable): Promise<IncomingMessage> {
  const upstream = connect(passage);
  const answered: Promise<IncomingMessage[]> = once(upstream, "response") as Promise<IncomingMessage[]>;
  const direction = body === passage.request ? "requestBytes" : undefined;
  // A server that refuses does not read on: what it says counts, not that its connection breaks.
  pump(body, upstream, Number.POSITIVE_INFINITY, passage.exchange, direction)
    .then(() => upstream.end())
    .catch(() => upstream.destroy());
  const [answer] = await answered;
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

/** Hands an answer to the client, all of it or its first bytes. */
async function deliver(
  { response, exchange }: Passage,
  answer: IncomingMessage,
  limit = Number.POSITIVE_INFINITY,
): Promise<void> {
  exchange.status = answer.statusCode;
  const { connection: _, ...headers } = answer.headers;
  response.writeHead(answer.statusCode ?? 502, headers);
  response.flushHeaders();
  try {
    await pump(answer, response, limit, exchange, "responseBytes");
  } finally {
    answer.destroy();
  }
  if (limit === Number.POSITIVE_INFINITY) response.end();
  else await new Promise((resolve) => response.write("", resolve));
}
