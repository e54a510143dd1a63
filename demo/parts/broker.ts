// The demo's own broker: aedes inside this process, so that nothing has to be installed.
import { createServer, type Socket } from "node:net";
import { Aedes } from "aedes";
import { listen } from "./gate.ts";

export interface Broker {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startEmbeddedBroker(): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    void aedes.handle(socket);
  });
  const port = await listen(server);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}
