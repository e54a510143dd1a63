// The demo's own broker: aedes inside this process, so that nothing has to be installed.
import { createServer, type Socket } from "node:net";
import { Aedes } from "aedes";
import { listen } from "./gate.ts";

export interface Broker {
  readonly url: string;
  stop(): Promise<void>;
}

export interface EmbeddedBroker extends Broker {
  /** Every topic or filter anybody subscribed to, in order. */
  readonly subscribed: readonly string[];
}

export async function startEmbeddedBroker(): Promise<EmbeddedBroker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const subscribed: string[] = [];
  aedes.on("subscribe", (subscriptions) => void subscribed.push(...subscriptions.map(({ topic }) => topic)));
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    void aedes.handle(socket);
  });
  const port = await listen(server);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    subscribed,
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}
