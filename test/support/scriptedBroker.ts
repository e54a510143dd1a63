// A broker that answers what a test tells it to, byte by byte: for everything a good broker never does.
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

export interface ScriptedBroker extends AsyncDisposable {
  readonly url: string;
  /** MQTT packet types received, in order, over every connection: 1 is CONNECT, 3 PUBLISH, 8 SUBSCRIBE. */
  readonly received: readonly number[];
}

/** MQTT 5 answers, as bytes. */
export const answers = {
  accepted: [0x20, 3, 0, 0, 0],
  acceptedWithReceiveMaximum: (maximum: number) => [0x20, 6, 0, 0, 3, 0x21, 0, maximum],
  notAuthorized: [0x20, 3, 0, 0x87, 0],
  versionRefused: [0x20, 3, 0, 0x84, 0],
  /** Of the first request of a connection. */
  unsubscribed: [0xb0, 4, 0, 1, 0, 0],
  /** QoS 0, without a payload, on a topic of less than 120 bytes. */
  publish: (topic: string) => [0x30, topic.length + 3, 0, topic.length, ...Buffer.from(topic), 0],
  sessionTakenOver: [0xe0, 2, 0x8e, 0],
  /** The header of a packet of 200 MB. */
  endlessPublish: [0x30, 0x80, 0x80, 0xaf, 0x5f, 0, 1, 0x74],
};

/** Calls `answer` for every packet; small packets only, one packet header a read or several. */
export async function startScriptedBroker(
  answer: (packetType: number, socket: Socket) => readonly number[] | undefined,
): Promise<ScriptedBroker> {
  const received: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      for (let at = 0; at < bytes.length; at += 2 + (bytes[at + 1] ?? 0)) {
        const packetType = (bytes[at] ?? 0) >> 4;
        received.push(packetType);
        const reply = answer(packetType, socket);
        if (reply !== undefined) socket.write(Uint8Array.from(reply));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
