// Datagrams on the worker's side of one socket: asks the main thread for more only when it has none.
import type { SocketAddress } from "../../../protocol/address.ts";
import type { HostCalls } from "../calls.ts";
import type { PollableSource } from "../shim.ts";

export interface ReceivedDatagram {
  readonly bytes: Uint8Array;
  readonly from: SocketAddress;
}

export interface DatagramQueue extends PollableSource {
  /** What is here now, `max` at most; those not from `remote` are left out when one is given. */
  take(max: number, remote: SocketAddress | undefined): ReceivedDatagram[];
}

export function createDatagramQueue(calls: HostCalls, lease: number): DatagramQueue {
  const here: ReceivedDatagram[] = [];
  let asking: Promise<void> | undefined;
  const ask = (): Promise<void> => {
    asking ??= calls
      .ask("udp.receive", lease)
      // A socket that was closed meanwhile has nothing more to give; the guest's next call says so.
      .then(
        (received) => void here.push(...received),
        () => undefined,
      )
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
  return {
    ready: () => {
      if (here.length === 0) void ask();
      return here.length > 0;
    },
    wait: () => (here.length > 0 ? Promise.resolve() : ask()),
    take: (max, remote) => {
      const taken = here.splice(0, max);
      if (here.length === 0) void ask();
      if (remote === undefined) return taken;
      return taken.filter(({ from }) => from.address === remote.address && from.port === remote.port);
    },
  };
}
