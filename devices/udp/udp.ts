// A UDP socket as the sandbox borrows it; addresses are checked by the caller before they come here.

export interface UdpAddress {
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
  readonly port: number;
}

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: UdpAddress;
}

export interface UdpSocket extends AsyncDisposable {
  readonly local: UdpAddress;
  send(bytes: Uint8Array, to: UdpAddress): Promise<void>;
  /** Waits for at least one datagram and resolves with up to `max`; the signal's reason rejects it. Bounded queue, oldest dropped and counted. */
  receive(max: number, signal?: AbortSignal): Promise<readonly Datagram[]>;
  /** Datagrams that are waiting now, without waiting. */
  take(max: number): readonly Datagram[];
  readonly droppedDatagrams: number;
  close(): Promise<void>;
}
