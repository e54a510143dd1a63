// Turns timers, lines, edges and datagrams into handler calls while a component lives.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { formatAddress, parseGrantedAddress } from "../protocol/address.ts";
import type { Triggers } from "../protocol/deployment.ts";
import type { HandlerArguments } from "./messages.ts";
import type { Lender } from "./lender/lender.ts";

export interface TriggerContext {
  readonly triggers: Triggers;
  readonly lender: Lender;
  readonly clock: Clock;
  /** Hands a call to the component; `key` marks calls of which one may wait. */
  readonly fire: <Kind extends keyof HandlerArguments>(kind: Kind, args: HandlerArguments[Kind], key?: string) => void;
  /** A trigger whose port failed; it is tried again after a while. */
  readonly onProblem: (what: string, error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Starts all triggers; they end with the signal. */
export function startTriggers(context: TriggerContext): void {
  const { interval, line, edge, datagram } = context.triggers;
  for (const [timer, periodMs] of Object.entries(interval)) startInterval(context, timer, periodMs);
  for (const port of line) void keepGoing(context, `line trigger "${port}"`, () => followLines(context, port));
  for (const [name, edges] of Object.entries(edge))
    void keepGoing(context, `edge trigger "${name}"`, () => followEdges(context, name, edges));
  for (const [name, address] of Object.entries(datagram))
    void keepGoing(context, `datagram trigger "${name}"`, () => followDatagrams(context, name, address));
}

/** Ticks stay on the grid of the first one: a slow call does not shift those after it. */
function startInterval({ clock, fire, signal }: TriggerContext, timer: string, periodMs: number): void {
  let dueMs = clock.monotonicMs();
  const tick = (): void => {
    if (signal.aborted) return;
    fire("interval", [timer], timer);
    const nowMs = clock.monotonicMs();
    // At least one period on: a timer may fire a little early.
    const periods = Math.max(1, Math.floor((nowMs - dueMs) / periodMs) + 1);
    dueMs += periods * periodMs;
    clock.after(dueMs - nowMs, tick);
  };
  clock.after(0, tick);
}

async function keepGoing(
  { clock, signal, onProblem }: TriggerContext,
  what: string,
  follow: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await follow();
    } catch (error) {
      if (signal.aborted) return;
      onProblem(what, error);
      await clock.sleep(limits.component.triggerRetryMs, signal).catch(() => undefined);
    }
  }
}

async function followLines({ lender, fire, signal }: TriggerContext, port: string): Promise<void> {
  const serial = await lender.serial(port);
  while (!signal.aborted) fire("line", [port, await serial.readLine(undefined)]);
}

async function followEdges(
  { lender, fire, signal }: TriggerContext,
  name: string,
  edges: "rising" | "falling" | "both",
): Promise<void> {
  const line = await lender.gpio(name);
  const stop = line.watch(edges, ({ rising, timestampNs, sequence }) =>
    fire("edge", [{ line: name, rising, timestampNs, sequence: BigInt(sequence) }]),
  );
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  stop();
}

async function followDatagrams({ lender, fire, signal }: TriggerContext, name: string, text: string): Promise<void> {
  const address = parseGrantedAddress(text);
  if (address === undefined) throw new Error(`"${text}" is not an address`);
  const socket = await lender.bind({ ...address, port: address.port ?? 0 });
  await using _closed = socket;
  while (!signal.aborted) {
    for (const { bytes, from } of await socket.receive(16, signal))
      fire("datagram", [{ trigger: name, sender: formatAddress(from), payload: bytes }]);
  }
}
