/** Part of a test double of Cloud Run: a gRPC server out of plain functions, with the messages of the real service. */
import { grpc } from "google-gax";

/** A message class of the service: bytes to message and back. */
export interface Codec<Given, Message> {
  decode(bytes: Uint8Array): Message;
  encode(message: Given): { finish(): Uint8Array };
}

/** An answer that is an error, as the service gives it. */
export class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** One method of a service: its full name, and what answers. */
export interface Method {
  readonly path: string;
  answer(bytes: Uint8Array): Promise<Uint8Array>;
}

export function method<Request, Given>(
  path: string,
  request: Codec<never, Request>,
  response: Codec<Given, unknown>,
  handle: (request: Request) => Given | Promise<Given>,
): Method {
  return {
    path,
    answer: async (bytes) => response.encode(await handle(request.decode(bytes))).finish(),
  };
}

/** Serves the methods on a free port of this machine. `watch` is told of every call before it is answered. */
export async function serve(methods: readonly Method[], watch: (name: string) => void): Promise<RpcServer> {
  const server = new grpc.Server();
  for (const { path, answer } of methods) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const definition = { [name]: { path, requestStream: false, responseStream: false, ...plainBytes } } as const;
    const handle: grpc.handleUnaryCall<Buffer, Buffer> = (call, reply) => {
      Promise.resolve()
        .then(() => watch(name))
        .then(() => answer(call.request))
        .then(
          (bytes) => reply(null, Buffer.from(bytes)),
          (error: unknown) => reply(toStatus(error), null),
        );
    };
    server.addService(definition, { [name]: handle });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { endpoint: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

export interface RpcServer {
  /** Host and port. */
  readonly endpoint: string;
  close(): void;
}

const same = (bytes: Buffer): Buffer => bytes;
const plainBytes = {
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

function toStatus(error: unknown): { readonly code: number; readonly details: string } {
  if (error instanceof Refusal) return { code: error.code, details: error.message };
  return { code: grpc.status.INTERNAL, details: error instanceof Error ? error.message : String(error) };
}
