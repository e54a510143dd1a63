// A component that sends every datagram back to whoever sent it, from a socket of its own.
import { getStdout } from "wasi:cli/stdout@0.2.12";
import { instanceNetwork } from "wasi:sockets/instance-network@0.2.12";
import { createUdpSocket } from "wasi:sockets/udp-create-socket@0.2.12";

interface Datagram {
  readonly trigger: string;
  readonly sender: string;
  readonly payload: Uint8Array;
}

export const onDatagram = {
  handle({ trigger, sender, payload }: Datagram): void {
    const [host, port] = sender.split(":");
    const to = { tag: "ipv4", val: { port: Number(port), address: host.split(".").map(Number) } };
    const [, outgoing] = socket().stream(undefined);
    outgoing.checkSend();
    outgoing.send([{ data: payload, remoteAddress: to }]);
    say(`${trigger} ${payload.length}`);
  },
};

function socket(): ReturnType<typeof createUdpSocket> {
  const made = createUdpSocket("ipv4");
  made.startBind(instanceNetwork(), { tag: "ipv4", val: { port: 0, address: [0, 0, 0, 0] } });
  made.finishBind();
  return made;
}

/** QuickJS has neither console nor TextEncoder here; what is printed is ASCII. */
function say(line: string): void {
  const bytes = Uint8Array.from(`${line}\n`, (character) => character.charCodeAt(0));
  getStdout().blockingWriteAndFlush(bytes);
}
