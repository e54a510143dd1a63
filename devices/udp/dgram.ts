// A UDP socket of the operating system with a bounded receive queue; it decides nothing about who may be spoken to.
import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { isIPv4, isIPv6 } from "node:net";
import { createArrival } from "../arrival.ts";
import { DeviceError } from "../error.ts";
import type { DeviceErrorCode } from "../error.ts";
import { deviceLimits } from "../limits.ts";
import type { Datagram, UdpAddress, UdpSocket } from "./udp.ts";

const { payloadBytes, receiveQueue } = deviceLimits.udp;

/** Binds exclusively; port 0 takes a free one. Rejects with "busy", "not-permitted", "invalid" or "failed". */
export async function openUdp(bind: UdpAddress): Promise<UdpSocket> {
  refuseBadAddress(bind, 0);
  const socket = createSocket({ type: bind.family === "ipv4" ? "udp4" : "udp6", ipv6Only: bind.family === "ipv6" });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(describeFailure(`${bind.address} port ${bind.port} cannot be bound`, error));
    });
    socket.bind({ address: bind.address, port: bind.port, exclusive: true }, resolve);
  });
  socket.removeAllListeners("error");
  return driveSocket(socket, bind.family);
}

function driveSocket(socket: Socket, family: UdpAddress["family"]): UdpSocket {
  const local: UdpAddress = { family, address: socket.address().address, port: socket.address().port };
  const queue = receiveInto(socket, family);
  let closed: Promise<void> | undefined;

  const send = async (bytes: Uint8Array, to: UdpAddress): Promise<void> => {
    if (closed !== undefined) throw closedError();
    if (to.family !== family) throw new DeviceError("invalid", `An ${family} socket cannot send to ${to.family}.`);
    refuseBadAddress(to, 1);
    if (bytes.length > payloadBytes)
      throw new DeviceError(
        "invalid",
        `A datagram takes at most ${payloadBytes} bytes, not ${bytes.length}; split it.`,
      );
    await new Promise<void>((resolve, reject) => {
      // A copy: the caller may reuse its buffer before the kernel has it.
      socket.send(Buffer.from(bytes), to.port, to.address, (error) => {
        if (error) reject(describeFailure(`${to.address} port ${to.port} cannot be sent to`, error));
        else resolve();
      });
    });
  };
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      queue.close();
      socket.close(() => resolve());
    });
    return closed;
  };

  return {
    local,
    send,
    receive: queue.receive,
    take: queue.take,
    get droppedDatagrams() {
      return queue.dropped();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface ReceiveQueue {
  readonly receive: UdpSocket["receive"];
  readonly take: UdpSocket["take"];
  dropped(): number;
  close(): void;
}

function receiveInto(socket: Socket, family: UdpAddress["family"]): ReceiveQueue {
  const arrival = createArrival();
  const waiting: Datagram[] = [];
  let dropped = 0;
  let closed = false;

  socket.on("message", (message: Buffer, from: RemoteInfo) => {
    waiting.push({ bytes: new Uint8Array(message), from: { family, address: from.address, port: from.port } });
    if (waiting.length > receiveQueue) {
      waiting.shift();
      dropped += 1;
    }
    arrival.notify();
  });
  socket.on("error", (error) => arrival.end(describeFailure("The UDP socket broke", error)));

  const take = (max: number): readonly Datagram[] => {
    if (closed) throw closedError();
    if (!Number.isInteger(max) || max < 1)
      throw new DeviceError("invalid", `At least 1 datagram is received, not ${max}.`);
    return waiting.splice(0, max);
  };
  return {
    take,
    receive: async (max, signal) => {
      signal?.throwIfAborted();
      for (let taken = take(max); ; taken = take(max)) {
        if (taken.length > 0) return taken;
        await arrival.wait(signal);
      }
    },
    dropped: () => dropped,
    close: () => {
      closed = true;
      arrival.end(closedError());
    },
  };
}

function refuseBadAddress({ family, address, port }: UdpAddress, lowestPort: number): void {
  // Names are not looked up here: that would be traffic that nobody granted.
  if (!(family === "ipv4" ? isIPv4(address) : isIPv6(address)))
    throw new DeviceError("invalid", `"${address}" is not an ${family} address.`);
  if (!Number.isInteger(port) || port < lowestPort || port > 65_535)
    throw new DeviceError("invalid", `${port} is not a UDP port (${lowestPort} to 65535).`);
}

function closedError(): DeviceError {
  return new DeviceError("closed", "The UDP socket is closed; open it again.");
}

const codes: Readonly<Record<string, DeviceErrorCode>> = {
  EADDRINUSE: "busy",
  EACCES: "not-permitted",
  EPERM: "not-permitted",
  EADDRNOTAVAIL: "invalid",
  EINVAL: "invalid",
  EMSGSIZE: "invalid",
  EAFNOSUPPORT: "unsupported",
};

function describeFailure(what: string, cause: NodeJS.ErrnoException): DeviceError {
  return new DeviceError(codes[cause.code ?? ""] ?? "failed", `${what}: ${cause.message}.`, { cause });
}
