// wasi:sockets UDP for the guest; the main thread owns the sockets and checks every address against the grants.
import type { SocketAddress } from "../../../protocol/address.ts";
import { HostCallError, type HostCalls } from "../calls.ts";
import type { HostInterface, Pollable, Shim } from "../shim.ts";
import { declare, toSocketError, WitError } from "../witError.ts";
import { fromWit, toWit, type WitSocketAddress } from "./address.ts";
import { createDatagramQueue, type DatagramQueue } from "./datagramQueue.ts";

const sendPermit = 64n;

interface OutgoingDatagram {
  readonly data: Uint8Array;
  readonly remoteAddress: WitSocketAddress | undefined;
}

export interface UdpHosts {
  readonly udp: HostInterface;
  readonly udpCreateSocket: HostInterface;
}

/** What every socket of one component needs. */
interface Context {
  readonly calls: HostCalls;
  readonly shim: Shim;
}

export function createUdpHosts(calls: HostCalls, shim: Shim): UdpHosts {
  return {
    udp: { UdpSocket, IncomingDatagramStream, OutgoingDatagramStream },
    udpCreateSocket: {
      createUdpSocket: (family: "ipv4" | "ipv6") => new UdpSocket(family, { calls, shim }),
    },
  };
}

class UdpSocket {
  readonly #family: "ipv4" | "ipv6";
  readonly #context: Context;
  #bound: { lease: number; local: SocketAddress } | undefined;
  #remote: SocketAddress | undefined;

  constructor(family: "ipv4" | "ipv6", context: Context) {
    this.#family = family;
    this.#context = context;
  }

  async startBind(_network: unknown, address: WitSocketAddress): Promise<void> {
    if (this.#bound !== undefined) throw new WitError("invalid-state");
    if (address.tag !== this.#family) throw new WitError("invalid-argument");
    this.#bound = await declare(toSocketError, this.#context.calls.ask("udp.bind", fromWit(address)));
  }

  finishBind(): void {
    if (this.#bound === undefined) throw new WitError("not-in-progress");
  }

  stream(remote: WitSocketAddress | undefined): [IncomingDatagramStream, OutgoingDatagramStream] {
    if (this.#bound === undefined) throw new WitError("invalid-state");
    this.#remote = remote === undefined ? undefined : fromWit(remote);
    const { lease } = this.#bound;
    return [
      new IncomingDatagramStream(lease, this.#remote, this.#context),
      new OutgoingDatagramStream(lease, this.#remote, this.#context),
    ];
  }

  localAddress(): WitSocketAddress {
    if (this.#bound === undefined) throw new WitError("invalid-state");
    return toWit(this.#bound.local);
  }

  remoteAddress(): WitSocketAddress {
    if (this.#remote === undefined) throw new WitError("invalid-state");
    return toWit(this.#remote);
  }

  addressFamily(): "ipv4" | "ipv6" {
    return this.#family;
  }

  unicastHopLimit = refuseOption;
  setUnicastHopLimit = refuseOption;
  receiveBufferSize = refuseOption;
  setReceiveBufferSize = refuseOption;
  sendBufferSize = refuseOption;
  setSendBufferSize = refuseOption;

  subscribe(): Pollable {
    return this.#context.shim.io.pollableCreate();
  }

  [Symbol.dispose](): void {
    if (this.#bound !== undefined) this.#context.calls.tell("close", this.#bound.lease);
    this.#bound = undefined;
  }
}

class IncomingDatagramStream {
  readonly #queue: DatagramQueue;
  readonly #remote: SocketAddress | undefined;
  readonly #shim: Shim;

  constructor(lease: number, remote: SocketAddress | undefined, { calls, shim }: Context) {
    this.#queue = createDatagramQueue(calls, lease);
    this.#remote = remote;
    this.#shim = shim;
  }

  receive(maxResults: bigint): { data: Uint8Array; remoteAddress: WitSocketAddress }[] {
    return this.#queue.take(Number(maxResults), this.#remote).map(({ bytes, from }) => ({
      data: bytes,
      remoteAddress: toWit(from),
    }));
  }

  subscribe(): Pollable {
    return this.#shim.io.pollableCreate(this.#queue);
  }
}

class OutgoingDatagramStream {
  readonly #lease: number;
  readonly #remote: SocketAddress | undefined;
  readonly #context: Context;

  constructor(lease: number, remote: SocketAddress | undefined, context: Context) {
    this.#lease = lease;
    this.#remote = remote;
    this.#context = context;
  }

  checkSend(): bigint {
    return sendPermit;
  }

  send(datagrams: readonly OutgoingDatagram[]): Promise<bigint> {
    return sendAll(this.#context.calls, datagrams, { lease: this.#lease, remote: this.#remote });
  }

  subscribe(): Pollable {
    return this.#context.shim.io.pollableCreate();
  }
}

/** Sends in order; a failure after the first datagram reports how many went, as WASI asks. */
async function sendAll(
  calls: HostCalls,
  datagrams: readonly OutgoingDatagram[],
  { lease, remote }: { readonly lease: number; readonly remote: SocketAddress | undefined },
): Promise<bigint> {
  if (datagrams.length > Number(sendPermit)) throw new WitError("invalid-argument");
  let sent = 0n;
  for (const { data, remoteAddress } of datagrams) {
    const to = remoteAddress === undefined ? remote : fromWit(remoteAddress);
    if (to === undefined) throw new WitError("invalid-argument");
    try {
      await calls.ask("udp.send", lease, data, to);
    } catch (error) {
      if (sent > 0n && error instanceof HostCallError) return sent;
      throw toSocketError(error);
    }
    sent += 1n;
  }
  return sent;
}

function refuseOption(): never {
  throw new WitError("not-supported");
}
