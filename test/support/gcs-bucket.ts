/** What the tests ask of an object's resource. */
export interface ObjectResource {
  readonly name: string;
  readonly size: string;
  readonly generation: string;
  readonly crc32c: string;
  readonly md5Hash?: string;
  readonly componentCount?: number;
  readonly storageClass: string;
  readonly updated: string;
}

/** The objects of one bucket by plain HTTP: a view that shares no code with the store under test. */
export interface Bucket {
  put(name: string, content: Uint8Array | string): Promise<ObjectResource>;
  /** All objects whose names begin with the prefix, by name. */
  list(prefix?: string): Promise<readonly ObjectResource[]>;
  /** The resource; undefined where there is no such object. */
  stat(name: string): Promise<ObjectResource | undefined>;
  /** The content, or bytes `first` to `last` of it, both included. */
  read(name: string, first?: number, last?: number): Promise<Buffer>;
  remove(name: string): Promise<void>;
}

/** Makes a bucket. @throws Error when the server refuses. */
export async function openBucket(endpoint: string, bucket: string): Promise<Bucket> {
  const json = { "content-type": "application/json" };
  const body = JSON.stringify({ name: bucket });
  await send(`${endpoint}/storage/v1/b?project=test`, { method: "POST", headers: json, body });
  const objects = `${endpoint}/storage/v1/b/${bucket}/o`;
  const locate = (name: string) => `${objects}/${encodeURIComponent(name)}`;
  return {
    put: async (name, content) => {
      const query = `uploadType=media&name=${encodeURIComponent(name)}`;
      const headers = { "content-type": "application/octet-stream" };
      const url = `${endpoint}/upload/storage/v1/b/${bucket}/o?${query}`;
      const bytes = Buffer.from(content as Uint8Array);
      return (await (await send(url, { method: "POST", headers, body: bytes })).json()) as ObjectResource;
    },
    list: (prefix = "") => listAll(`${objects}?prefix=${encodeURIComponent(prefix)}`),
    stat: async (name) => {
      const response = await send(locate(name), {}, 404);
      return response.status === 404 ? undefined : ((await response.json()) as ObjectResource);
    },
    read: async (name, first, last) => {
      const headers: Record<string, string> = first === undefined ? {} : { range: `bytes=${first}-${last ?? ""}` };
      return Buffer.from(await (await send(`${locate(name)}?alt=media`, { headers })).arrayBuffer());
    },
    remove: async (name) => {
      await send(locate(name), { method: "DELETE" });
    },
  };
}

async function listAll(url: string): Promise<ObjectResource[]> {
  const items: ObjectResource[] = [];
  let token: string | undefined;
  do {
    const page = token === undefined ? url : `${url}&pageToken=${encodeURIComponent(token)}`;
    const answer = (await (await send(page)).json()) as { items?: ObjectResource[]; nextPageToken?: string };
    items.push(...(answer.items ?? []));
    token = answer.nextPageToken;
  } while (token !== undefined && token !== "");
  return items;
}

async function send(url: string, options: RequestInit = {}, accepted?: number): Promise<Response> {
  const response = await fetch(url, options);
  if (response.ok || response.status === accepted) return response;
  throw new Error(`${options.method ?? "GET"} ${url}: ${response.status} ${await response.text()}`);
}
