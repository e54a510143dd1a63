// A thin link in front of a broker: bytes towards the client come no faster than it is told.
import { connect, createServer } from "node:net";
import { listen } from "../../demo/parts/gate.ts";

export async function startThinLink(brokerUrl: string, bitsPerSecond: number): Promise<string> {
  const brokerPort = Number(new URL(brokerUrl).port);
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: brokerPort, host: "127.0.0.1", noDelay: true });
    let freeAtMs = 0;
    client.pipe(upstream);
    upstream.on("data", (bytes) => {
      const nowMs = performance.now();
      freeAtMs = Math.max(freeAtMs, nowMs) + (bytes.length * 8000) / bitsPerSecond;
      upstream.pause();
      setTimeout(() => {
        client.write(bytes);
        upstream.resume();
      }, freeAtMs - nowMs);
    });
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  const port = await listen(server);
  server.unref();
  return `mqtt://127.0.0.1:${port}`;
}
