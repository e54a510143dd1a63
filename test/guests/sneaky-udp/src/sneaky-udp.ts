// A component that tries addresses it was not granted and says how it was answered.
import { instanceNetwork } from "wasi:sockets/instance-network@0.2.12";
import { createUdpSocket } from "wasi:sockets/udp-create-socket@0.2.12";

export const onMessage = {
  handle(method: string, params: string): string {
    const { address, port } = JSON.parse(params) as { address: number[]; port: number };
    return attempt(() => (method === "bind" ? bind(address, port) : send(address, port)));
  },
};

const held: unknown[] = [];

function bind(address: number[], port: number): ReturnType<typeof createUdpSocket> {
  const socket = createUdpSocket("ipv4");
  held.push(socket);
  socket.startBind(instanceNetwork(), { tag: "ipv4", val: { port, address } });
  socket.finishBind();
  return socket;
}

function send(address: number[], port: number): void {
  const [, outgoing] = bind([0, 0, 0, 0], 0).stream(undefined);
  outgoing.checkSend();
  outgoing.send([{ data: Uint8Array.of(1), remoteAddress: { tag: "ipv4", val: { port, address } } }]);
}

function attempt(work: () => void): string {
  try {
    work();
    return "ok";
  } catch (error) {
    return (error as { payload: string }).payload;
  }
}
