import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { relay } from "./relay.ts";
import { describeRequest, type Exchange, type RequestKind } from "./wire.ts";

export type { Exchange, RequestKind } from "./wire.ts";

/** A place in an exchange: so many bytes of one of its bodies have passed. */
export type Place = { readonly requestBytes: number } | { readonly responseBytes: number };

/** What goes wrong on the wire. */
export type Fault =
  /** The proxy answers in the server's place, which sees nothing, or as much of the request as is said; `body`: not what the service would say. */
  | { readonly kind: "answer"; readonly status: number; readonly requestBytes?: number; readonly body?: string }
  /** The server is asked for another range, or for the whole object where none is given, and the client gets that. */
  | { readonly kind: "other range"; readonly range: string | undefined }
  /** The last byte of the answer is another one. */
  | { readonly kind: "alter" }
  /** The client's connection is reset there. */
  | { readonly kind: "reset"; readonly at: Place }
  /** Nothing more moves from there on, and the connection stays open. */
  | { readonly kind: "stall"; readonly at: Place }
  /** The server gets the request twice, one after the other; the client gets one of the two answers. */
  | { readonly kind: "duplicate"; readonly answer: "first" | "second" }
  /** The server does all of the work; the client's connection is reset in place of the answer. */
  | { readonly kind: "lose response" };

/** Puts a fault on requests. Of several rules that fit a request, the first one that is not used up. */
export interface Rule {
  readonly on: (exchange: Exchange) => boolean;
  readonly fault: Fault;
  /** How often it fires; once unless told. */
  readonly times?: number;
}

export interface FaultProxy {
  /** Origin that clients use in place of the server's. */
  readonly endpoint: string;
  /** All requests so far, in the order in which they came. */
  readonly requests: readonly Exchange[];
  count(kind: RequestKind): number;
  /** Body bytes from and to the client so far. */
  bytes(): { readonly sent: number; readonly received: number };
  stop(): Promise<void>;
}

/** Starts a proxy in front of a server (its origin), which counts what passes and breaks what the rules pick. */
export async function startProxy(target: string, rules: readonly Rule[] = []): Promise<FaultProxy> {
  const requests: Exchange[] = [];
  const counts = new Map<RequestKind, number>();
  const left = rules.map((rule) => ({ ...rule, times: rule.times ?? 1 }));
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const exchange = describeRequest(request, counts);
    counts.set(exchange.kind, exchange.ordinal);
    requests.push(exchange);
    const rule = left.find((candidate) => candidate.times > 0 && candidate.on(exchange));
    if (rule !== undefined) rule.times -= 1;
    exchange.fault = rule?.fault.kind;
    // A connection that breaks is what this is for; whoever is left hears of it by the same means.
    relay({ request, response, exchange, target }, rule?.fault).catch(() => request.socket.resetAndDestroy());
  };
  const server = createServer({ requestTimeout: 0 }, serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    count: (kind) => counts.get(kind) ?? 0,
    bytes: () => ({ sent: sum(requests, "requestBytes"), received: sum(requests, "responseBytes") }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sum(exchanges: readonly Exchange[], field: "requestBytes" | "responseBytes"): number {
  return exchanges.reduce((total, exchange) => total + exchange[field], 0);
}
