// A gate in front of a broker: it can be shut, as a mobile network is, and it counts what goes through to the gateway.
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Gate {
  readonly url: string;
  /** Bytes towards the gateway so far. */
  readonly toGatewayBytes: number;
  /** Cuts every connection and refuses new ones, until `open` is called. */
  shut(): void;
  open(): void;
  stop(): void;
}

export async function startGate(brokerUrl: string): Promise<Gate> {
  const brokerPort = Number(new URL(brokerUrl).port);
  const sockets = new Set<Socket>();
  let isShut = false;
  let toGatewayBytes = 0;
  const server = createServer((client) => {
    if (isShut) return void client.destroy();
    const upstream = connect(brokerPort, "127.0.0.1");
    join(client, upstream, sockets);
    join(upstream, client, sockets);
    upstream.on("data", (chunk: Buffer) => {
      toGatewayBytes += chunk.length;
    });
  });
  const shut = (): void => {
    isShut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `mqtt://127.0.0.1:${await listen(server)}`,
    get toGatewayBytes() {
      return toGatewayBytes;
    },
    shut,
    open: () => {
      isShut = false;
    },
    stop: () => {
      shut();
      server.close();
    },
  };
}

/** Resolves to the free port it listens on. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    }),
  );
}

function join(from: Socket, to: Socket, sockets: Set<Socket>): void {
  sockets.add(from);
  from.setNoDelay(true);
  from.pipe(to);
  from.on("error", () => to.destroy());
  from.on("close", () => {
    sockets.delete(from);
    to.destroy();
  });
}
