// What the main thread and a component's worker say to each other; plain values that can be cloned.
import type { UdpAddress } from "../../devices/udp/udp.ts";
import type { Reading } from "../protocol/reports.ts";
import type { HandlerKind } from "./interfaces.ts";

/** Given to the worker once, when it starts. */
export interface WorkerStart {
  readonly moduleUrl: string;
  readonly coreModules: ReadonlyMap<string, Uint8Array>;
  readonly imports: readonly string[];
  readonly memoryMaxBytes: number;
  readonly config: Readonly<Record<string, string>>;
  readonly readingsPerSecond: number;
  readonly logsPerSecond: number;
}

/** Arguments of each handler, as the WIT has them. */
export interface HandlerArguments {
  interval: readonly [timer: string];
  line: readonly [port: string, line: string];
  edge: readonly [{ line: string; rising: boolean; timestampNs: bigint; sequence: bigint }];
  datagram: readonly [{ trigger: string; sender: string; payload: Uint8Array }];
  message: readonly [method: string, params: string];
}

export type CallTarget = HandlerKind | "run";

/** What the worker asks the main thread to do with something it owns; the result type stands beside it. */
export interface Operations {
  "serial.open": { in: [name: string]; out: number };
  "serial.read": { in: [lease: number, maxBytes: number, timeoutMs: number | undefined]; out: Uint8Array };
  "serial.readLine": { in: [lease: number, timeoutMs: number | undefined]; out: string };
  "serial.write": { in: [lease: number, bytes: Uint8Array]; out: undefined };
  "serial.discard": { in: [lease: number]; out: undefined };
  "gpio.open": { in: [name: string]; out: number };
  "gpio.get": { in: [lease: number]; out: boolean };
  "gpio.set": { in: [lease: number, active: boolean]; out: undefined };
  "udp.bind": { in: [address: UdpAddress]; out: { lease: number; local: UdpAddress } };
  "udp.send": { in: [lease: number, bytes: Uint8Array, to: UdpAddress]; out: undefined };
  /** Waits for datagrams; what came is moved to the worker. */
  "udp.receive": { in: [lease: number]; out: readonly { bytes: Uint8Array; from: UdpAddress }[] };
  "readings.report": { in: [stream: string, readings: readonly Reading[]]; out: undefined };
  /** Resolves when all that was reported is durable. */
  "readings.flush": { in: []; out: undefined };
  close: { in: [lease: number]; out: undefined };
}
export type Operation = keyof Operations;

/** A host call that failed, by a code the guest's WIT error is made from. */
export interface HostFailure {
  readonly code: string;
  readonly message: string;
}

export type ToWorker =
  | { readonly kind: "call"; readonly id: number; readonly target: CallTarget; readonly args: readonly unknown[] }
  | { readonly kind: "answer"; readonly id: number; readonly value?: unknown; readonly failure?: HostFailure };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "request"; readonly id: number; readonly operation: Operation; readonly args: readonly unknown[] }
  | { readonly kind: "returned"; readonly id: number; readonly outcome: CallOutcome }
  | { readonly kind: "log"; readonly level: "info" | "error"; readonly line: string }
  | { readonly kind: "dropped"; readonly what: "log" | "reading"; readonly count: number };

/** How one call into the component ended. */
export type CallOutcome =
  | { readonly kind: "ok"; readonly value?: string }
  /** The component itself answered with an error (the `err` of its result). */
  | { readonly kind: "error"; readonly message: string }
  /** wasi:cli/exit was called. */
  | { readonly kind: "exited"; readonly code: number }
  /** The instance is dead: a trap, an uncaught guest exception, an exhausted stack. */
  | { readonly kind: "trap"; readonly message: string; readonly stack: string };
