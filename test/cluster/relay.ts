/** Stands in for kube-proxy, which the test cluster has none of: hands connections to HOST on to the API server. */
import { connect, createServer } from "node:net";

const [host = "", target = ""] = process.argv.slice(2);
const server = createServer((client) => {
  const api = connect(Number(target), "127.0.0.1");
  client.pipe(api).pipe(client);
  client.on("error", () => api.destroy());
  api.on("error", () => client.destroy());
});
server.listen(0, host, () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.stdout.write(`${address.port}\n`);
});
