// The demo's broker: aedes inside this process, and a gate in front of it that can be shut and that counts bytes.
import { createServer, connect, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";

export interface Broker {
  /** Where operators connect. */
  readonly url: string;
  /** Where the gateway connects; through the gate. */
  readonly gateUrl: string;
  /** Bytes that went through the gate towards the gateway so far. */
  readonly toGatewayBytes: number;
  /** Cuts every connection through the gate and refuses new ones, until `open` is called. */
  shut(): void;
  open(): void;
  stop(): Promise<void>;
}

export async function startBroker(): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const server = createServer((socket) => void aedes.handle(socket));
  const port = await listen(server);
  const gate = createGate(port);
  const gatePort = await listen(gate.server);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    gateUrl: `mqtt://127.0.0.1:${gatePort}`,
    get toGatewayBytes() {
      return gate.bytes();
    },
    shut: () => gate.setShut(true),
    open: () => gate.setShut(false),
    stop: async () => {
      gate.setShut(true);
      gate.server.close();
      server.close();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}

interface Gate {
  readonly server: Server;
  bytes(): number;
  setShut(shut: boolean): void;
}

function createGate(brokerPort: number): Gate {
  const sockets = new Set<Socket>();
  let isShut = false;
  let bytes = 0;
  const server = createServer((client) => {
    if (isShut) return void client.destroy();
    const upstream = connect(brokerPort, "127.0.0.1");
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.setNoDelay(true);
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    upstream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
  });
  return {
    server,
    bytes: () => bytes,
    setShut: (shut) => {
      isShut = shut;
      if (shut) for (const socket of sockets) socket.destroy();
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    }),
  );
}
