// Whoever serves the fleet, as small as it can be: answers what gateways ask for from what a test gives it.
import { connect } from "mqtt";
import { limits } from "../../src/base/limits.ts";
import { parseDocument } from "../../src/protocol/document.ts";
import { type GetRequest, getSchema } from "../../src/protocol/get.ts";
import { createTopics } from "../../src/protocol/topics.ts";

export interface Served {
  readonly root: string;
  readonly gateway: string;
  /** By sha-256. */
  readonly blobs?: ReadonlyMap<string, Uint8Array>;
  /** By "director/timestamp.json". */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  /** Sent before the answer, to the topics of the request: part and payload. */
  readonly noise?: readonly (readonly [part: string, payload: Uint8Array])[];
}

export interface Responder extends AsyncDisposable {
  readonly requests: readonly GetRequest[];
}

export async function startResponder(url: string, served: Served): Promise<Responder> {
  const client = connect(url, { protocolVersion: 4, reconnectPeriod: 0 });
  const topics = createTopics(served.root).gateway(served.gateway);
  const requests: GetRequest[] = [];
  await new Promise<void>((resolve) => void client.once("connect", () => resolve()));
  client.on("message", (topic, payload) => {
    const id = topic.slice(topic.lastIndexOf("/") + 1);
    const request = parseDocument(getSchema, payload, { what: "request", maxBytes: limits.get.requestBytes });
    requests.push(request);
    const send = (part: string, bytes: Uint8Array): void =>
      void client.publish(topics.gots(id).replace("+", part), Buffer.from(bytes), { qos: 1 });
    for (const [part, bytes] of served.noise ?? []) send(part, bytes);
    const parts = answer(request, served);
    if (parts === undefined) return send("none", new Uint8Array());
    for (const [part, bytes] of parts) send(String(part), bytes);
  });
  await client.subscribeAsync(topics.gets, { qos: 1 });
  return { requests, [Symbol.asyncDispose]: async () => void (await client.endAsync(true)) };
}

function answer(request: GetRequest, { blobs, files }: Served): [number, Uint8Array][] | undefined {
  const { chunkSizeBytes } = limits.blob;
  if (request.want === "file") {
    const file = files?.get(`${request.repository}/${request.file}`);
    return file === undefined ? undefined : [[0, file]];
  }
  const blob = request.want === "blob" ? blobs?.get(request.sha256) : undefined;
  if (blob === undefined || request.want !== "blob") return undefined;
  return request.chunks.map((chunk) => [chunk, blob.slice(chunk * chunkSizeBytes, (chunk + 1) * chunkSizeBytes)]);
}
