import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";

export type Library = typeof import("@kubernetes/client-node");
export type KubeConfig = InstanceType<Library["KubeConfig"]>;

/** The two groups of the API that hold Jobs and pods. */
export interface Apis {
  readonly batch: InstanceType<Library["BatchV1Api"]>;
  readonly core: InstanceType<Library["CoreV1Api"]>;
}

/** A request that hangs longer than this, in milliseconds, counts as a broken connection. */
const requestLimit = 30_000;

/**
 * The cluster of KUBECONFIG, ~/.kube/config or the pod's own service account.
 * @throws Failure (usage) without a cluster, or without that context.
 */
export function readConfig(library: Library, context: string | undefined): KubeConfig {
  const config = new library.KubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    throw unusableConfig(error instanceof Error ? error.message : String(error));
  }
  if (context !== undefined) {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(context)) throw unusableConfig(`no context ${context}, only ${known.join(", ") || "none"}`);
    config.setCurrentContext(context);
  }
  findServer(config);
  return config;
}

/** The address of the API server. @throws Failure (usage) without one. */
function findServer(config: KubeConfig): string {
  const server = config.getCurrentCluster()?.server;
  // The library returns this address if it finds no cluster.
  if (server === undefined || server === "http://localhost:8080")
    throw unusableConfig("no cluster in KUBECONFIG or ~/.kube/config, and this is not a pod with a service account");
  return server;
}

function unusableConfig(found: string): Failure {
  const fix = "set KUBECONFIG to the file of the cluster, and --kube-context to one of its contexts";
  return new Failure(ExitCode.usage, [{ what: "no Kubernetes cluster is configured", found, fix }]);
}

/** The API groups, with a time limit for each request. */
export function createApis(library: Library, config: KubeConfig): Apis {
  const configuration = library.createConfiguration({
    baseServer: new library.ServerConfiguration(findServer(config), {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        async pre(request) {
          request.setSignal(AbortSignal.timeout(requestLimit));
          return request;
        },
        async post(response) {
          return response;
        },
      },
    ],
  });
  return { batch: new library.BatchV1Api(configuration), core: new library.CoreV1Api(configuration) };
}
