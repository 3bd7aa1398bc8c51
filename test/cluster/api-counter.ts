/** A proxy between a controller and the API server of the test cluster that records the name of every request. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { request } from "node:https";

/** The part of a kubeconfig that names the server and the user. */
interface Config {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly "certificate-authority-data": string } },
  ];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

export class ApiCounter {
  /** "list pods", "watch jobs" … in the order of the requests. */
  readonly requests: string[] = [];
  readonly #server: Server;

  constructor(config: Config) {
    this.#server = createServer((incoming, outgoing) => {
      this.requests.push(nameRequest(incoming));
      const { server, "certificate-authority-data": ca } = config.clusters[0].cluster;
      const upstream = request(new URL(incoming.url ?? "/", server), {
        method: incoming.method,
        headers: { ...incoming.headers, authorization: `Bearer ${config.users[0].user.token}` },
        ca: Buffer.from(ca, "base64"),
        servername: "localhost",
      });
      upstream.on("response", (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        outgoing.flushHeaders();
        answer.pipe(outgoing);
      });
      upstream.on("error", () => outgoing.destroy());
      outgoing.on("close", () => upstream.destroy());
      incoming.pipe(upstream);
    });
  }

  /** Listens, and returns a kubeconfig with one context of this name, which leads here. */
  async open(name: string): Promise<object> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return {
      apiVersion: "v1",
      kind: "Config",
      // The client accepts a server without TLS only with this field.
      clusters: [{ name, cluster: { server: `http://127.0.0.1:${address.port}`, "insecure-skip-tls-verify": true } }],
      users: [{ name, user: {} }],
      contexts: [{ name, context: { cluster: name, user: name } }],
    };
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function nameRequest({ method, url }: IncomingMessage): string {
  const { pathname, searchParams } = new URL(url ?? "/", "http://counter");
  const resource = /\/namespaces\/[^/]+\/([a-z]+)/.exec(pathname)?.[1] ?? pathname;
  if (method !== "GET") return `${method?.toLowerCase()} ${resource}`;
  return `${searchParams.get("watch") === "true" ? "watch" : "list"} ${resource}`;
}
