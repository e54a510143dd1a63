// A tap between clients and a broker: it changes nothing and keeps what went over each connection, packet by packet.
import { connect, createServer, type Socket } from "node:net";
import { listen } from "../../demo/parts/gate.ts";
import { createPacketReader, saysVersion5, type Packet } from "./packets.ts";

export interface WireTap {
  readonly url: string;
  /** What the client with this id sent and received so far, over all its connections, oldest first. */
  packetsOf(clientId: string): readonly Packet[];
  stop(): void;
}

export async function startWireTap(brokerUrl: string): Promise<WireTap> {
  const brokerPort = Number(new URL(brokerUrl).port);
  const seen = new Map<string, Packet[]>();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: brokerPort, host: "127.0.0.1", noDelay: true });
    const take = createRecorder(seen);
    pass(client, upstream, (bytes) => take("out", bytes));
    pass(upstream, client, (bytes) => take("in", bytes));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    }
  });
  const url = `mqtt://127.0.0.1:${await listen(server)}`;
  return {
    url,
    packetsOf: (clientId) => seen.get(clientId) ?? [],
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

type Direction = Packet["direction"];

/** For one connection; its first packet names the client. */
function createRecorder(seen: Map<string, Packet[]>): (direction: Direction, bytes: Uint8Array) => void {
  let isVersion5 = false;
  let packets: Packet[] = [];
  const readers = {
    in: createPacketReader("in", () => isVersion5),
    out: createPacketReader("out", () => isVersion5),
  };
  return (direction, bytes) => {
    for (const packet of readers[direction].read(bytes)) {
      if (packet.type === "CONNECT") {
        isVersion5 = saysVersion5(packet);
        packets = remember(seen, readClientId(packet.payload, isVersion5));
      }
      packets.push(packet);
    }
  };
}

function remember(seen: Map<string, Packet[]>, clientId: string): Packet[] {
  const packets = seen.get(clientId) ?? [];
  seen.set(clientId, packets);
  return packets;
}

/** After protocol name, level, flags and keepalive (ten bytes), and properties, of which ours fit one length byte. */
function readClientId(body: Uint8Array, isVersion5: boolean): string {
  const bytes = Buffer.from(body);
  const at = isVersion5 ? 11 + (bytes[10] ?? 0) : 10;
  return bytes.toString("utf8", at + 2, at + 2 + bytes.readUInt16BE(at));
}

function pass(from: Socket, to: Socket, take: (bytes: Uint8Array) => void): void {
  from.on("data", take);
  from.pipe(to);
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroy());
}
