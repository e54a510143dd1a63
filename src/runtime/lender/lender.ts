// Lends one component what its grants name, checks every call against them, and takes everything back when it ends.
import type { Board } from "../../../devices/board.ts";
import { wrapUdp } from "../../../devices/lend.ts";
import type { GpioLine } from "../../../devices/gpio/gpio.ts";
import type { Datagram, UdpAddress, UdpSocket } from "../../../devices/udp/udp.ts";
import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import { formatAddress, isGranted } from "../../protocol/address.ts";
import type { Grants } from "../../protocol/deployment.ts";
import type { Reading } from "../../protocol/reports.ts";
import type { Operation, Operations } from "../messages.ts";
import { ownEntry } from "../ownEntry.ts";
import { tellDrops, type TellDrop } from "./countDrops.ts";
import { createPendingReports } from "./pendingReports.ts";
import { HostRefusal } from "./refusal.ts";
import { createSerialLease, type SerialLease } from "./serialLease.ts";

export interface LenderOptions {
  readonly board: Board;
  readonly grants: Grants;
  /** Resolves when the readings are durable. */
  readonly report: (stream: string, readings: readonly Reading[]) => Promise<void>;
  readonly clock: Clock;
  /** Told of what arrived and was lost because the component did not take it in time. */
  readonly onDropped: TellDrop;
}

export interface Lender {
  /** Carries out one request of the worker. Rejects with HostRefusal or DeviceError. */
  perform(operation: Operation, args: readonly unknown[]): Promise<unknown>;
  /** The same leases for the host's own triggers; they share the port with the component. */
  serial(name: string): Promise<SerialLease>;
  gpio(name: string): Promise<GpioLine>;
  bind(address: UdpAddress): Promise<UdpSocket>;
  /** Closes everything; calls that wait are refused with "closed". */
  release(): Promise<void>;
}

export function createLender(options: LenderOptions): Lender {
  return new ComponentLender(options);
}

type Operate = { readonly [Op in Operation]: (...args: Operations[Op]["in"]) => Promise<unknown> };

class ComponentLender implements Lender {
  readonly #options: LenderOptions;
  readonly #serials = new Map<string, Promise<SerialLease>>();
  readonly #lines = new Map<string, Promise<GpioLine>>();
  /** Lease number to the name of a port, or to a socket. */
  readonly #leases = new Map<number, string | UdpSocket>();
  /** Every socket that is open, also those of the triggers. */
  readonly #sockets = new Set<UdpSocket>();
  readonly #opening = new Set<Promise<UdpSocket>>();
  readonly #reports = createPendingReports();
  #lastLease = 0;
  #isReleased = false;

  constructor(options: LenderOptions) {
    this.#options = options;
  }

  readonly #operate: Operate = {
    "serial.open": async (name) => {
      await this.serial(name);
      return this.#lease(name);
    },
    "serial.read": async (id, maxBytes, timeoutMs) => (await this.#serialOf(id)).read(maxBytes, timeoutMs),
    "serial.readLine": async (id, timeoutMs) => (await this.#serialOf(id)).readLine(timeoutMs),
    "serial.write": async (id, bytes) => (await this.#serialOf(id)).write(bytes),
    "serial.discard": async (id) => (await this.#serialOf(id)).discard(),
    "gpio.open": async (name) => {
      await this.gpio(name);
      return this.#lease(name);
    },
    "gpio.get": async (id) => (await this.gpio(this.#nameOf(id))).read(),
    "gpio.set": async (id, active) => this.#setLine(this.#nameOf(id), active),
    "udp.bind": async (address) => {
      this.#requireRoom();
      const socket = await this.bind(address);
      return { lease: this.#lease(socket), local: socket.local };
    },
    "udp.send": async (id, bytes, to) => this.#send(this.#socketOf(id), bytes, to),
    "udp.receive": (id) => this.#receive(this.#socketOf(id)),
    "readings.report": (stream, readings) => this.#reports.add(this.#options.report(stream, readings)),
    "readings.flush": () => this.#reports.flush(),
    close: async (id) => {
      const held = this.#leases.get(id);
      this.#leases.delete(id);
      if (held !== undefined && typeof held !== "string") await held.close();
    },
  };

  async perform(operation: Operation, args: readonly unknown[]): Promise<unknown> {
    const run = this.#operate[operation] as (...args: readonly unknown[]) => Promise<unknown>;
    return run(...args);
  }

  async serial(name: string): Promise<SerialLease> {
    const { board, grants, clock } = this.#options;
    const access = ownEntry(grants.serial, name);
    if (access === undefined) throw new HostRefusal("not-granted", `serial port "${name}" is not granted`);
    this.#requireLife();
    return openOnce(this.#serials, name, async () => {
      const port = await board.openSerial(name);
      // The board lends it again only when it is closed; until then calls learn that it is gone.
      const onLost = (): void => void Promise.allSettled([port.close()]).then(() => this.#serials.delete(name));
      return createSerialLease(port, { access, clock, onLost, onDropped: this.#options.onDropped });
    });
  }

  async gpio(name: string): Promise<GpioLine> {
    const { board, grants } = this.#options;
    if (ownEntry(grants.gpio, name) === undefined)
      throw new HostRefusal("not-granted", `gpio line "${name}" is not granted`);
    this.#requireLife();
    return openOnce(this.#lines, name, () => board.openGpio(name));
  }

  async bind(address: UdpAddress): Promise<UdpSocket> {
    const { grants } = this.#options;
    if (!isGranted(grants.udp.bind, address) && !isEphemeral(address))
      throw new HostRefusal("access-denied", `binding ${formatAddress(address)} is not granted`);
    this.#requireLife();
    const opening = this.#openSocket(address);
    this.#opening.add(opening);
    await Promise.allSettled([opening]);
    this.#opening.delete(opening);
    return opening;
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    this.#leases.clear();
    const lent = [...this.#serials.values(), ...this.#lines.values(), ...this.#sockets, ...this.#opening];
    const closed = lent.map(async (held: Closable | Promise<Closable>) => (await held).close());
    // Readings the component handed over before it ended are its operator's, whatever ended it.
    await Promise.allSettled([...closed, this.#reports.settled()]);
  }

  async #openSocket(address: UdpAddress): Promise<UdpSocket> {
    const socket = await this.#options.board.openUdp(address);
    const lent = wrapUdp(tellDrops(socket, this.#options.onDropped), () =>
      socket.close().finally(() => this.#sockets.delete(lent)),
    );
    this.#sockets.add(lent);
    return lent;
  }

  #requireLife(): void {
    if (this.#isReleased) throw new HostRefusal("closed", "the component has ended");
  }

  #requireRoom(): void {
    if (this.#leases.size >= limits.component.openPorts)
      throw new HostRefusal("too-many", `a component may hold ${limits.component.openPorts} ports at once`);
  }

  #lease(held: string | UdpSocket): number {
    this.#requireLife();
    this.#requireRoom();
    this.#leases.set(++this.#lastLease, held);
    return this.#lastLease;
  }

  #nameOf(id: number): string {
    const held = this.#leases.get(id);
    if (typeof held !== "string") throw new HostRefusal("closed", "the port was closed");
    return held;
  }

  #serialOf(id: number): Promise<SerialLease> {
    return this.serial(this.#nameOf(id));
  }

  #socketOf(id: number): UdpSocket {
    const held = this.#leases.get(id);
    if (held === undefined || typeof held === "string") throw new HostRefusal("closed", "the socket was closed");
    return held;
  }

  async #setLine(name: string, active: boolean): Promise<void> {
    if (ownEntry(this.#options.grants.gpio, name) !== "out")
      throw new HostRefusal("not-writable", `line "${name}" is granted as an input`);
    await (await this.gpio(name)).write(active);
  }

  /** On a port that was only taken for sending, nobody is heard but those that may be sent to. */
  async #receive(socket: UdpSocket): Promise<readonly Datagram[]> {
    const { bind, send } = this.#options.grants.udp;
    const isOpenToAll = isGranted(bind, socket.local);
    for (;;) {
      const received = await socket.receive(limits.udp.receiveQueue);
      const heard = isOpenToAll ? received : received.filter(({ from }) => isGranted(send, from));
      if (heard.length > 0) return heard;
    }
  }

  async #send(socket: UdpSocket, bytes: Uint8Array, to: UdpAddress): Promise<void> {
    if (!isGranted(this.#options.grants.udp.send, to))
      throw new HostRefusal("access-denied", `sending to ${formatAddress(to)} is not granted`);
    if (bytes.length > limits.udp.payloadBytes) throw new HostRefusal("too-large", "the datagram is too large");
    await socket.send(bytes, to);
  }
}

interface Closable {
  close(): Promise<void>;
}

/** A port stays open for the component's whole life; an open that failed, or a device that went away, is tried anew. */
function openOnce<T>(opened: Map<string, Promise<T>>, name: string, open: () => Promise<T>): Promise<T> {
  const known = opened.get(name);
  if (known !== undefined) return known;
  const opening = open();
  opened.set(name, opening);
  opening.catch(() => opened.delete(name));
  return opening;
}

/** Sending needs a socket somewhere, on any free port of any address. What it receives is filtered. */
function isEphemeral({ address, port }: UdpAddress): boolean {
  return port === 0 && /^[0.:]+$/.test(address);
}
