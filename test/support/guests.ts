// Builds the guests of test/guests, transpiles them once a test file, and starts them on a simulated board.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { Board } from "../../devices/board.ts";
import { parseBoardFile } from "../../devices/boardFile.ts";
import type { DeviceClock } from "../../devices/clock.ts";
import { openBoard, type OpenedBoard } from "../../devices/openBoard.ts";
import { buildComponent } from "../../examples/build.ts";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { componentDeploymentSchema } from "../../src/protocol/deployment.ts";
import { formatRefusal, isRefusal } from "../../src/protocol/refusal.ts";
import type { Reading } from "../../src/protocol/reports.ts";
import { admitComponent } from "../../src/runtime/admit.ts";
import { openTranspileCache, type TranspileCache } from "../../src/runtime/cache.ts";
import { startComponent, type RunningComponent } from "../../src/runtime/component.ts";
import type { ComponentEnd, IncarnationOptions } from "../../src/runtime/incarnation.ts";
import { writeComponent } from "./componentFile.ts";
import { createManualClock } from "./manualDeviceClock.ts";
import { createTemporaryDirectory } from "./temporaryDirectory.ts";
import { createWitness, type Witness } from "./witness.ts";

const sources = join(import.meta.dirname, "..", "guests");

/** The guest's component bytes. */
export async function buildGuest(name: string): Promise<Uint8Array> {
  const source = await readFile(join(sources, name, "src", `${name}.ts`), "utf8");
  return buildComponent({ source, witDirectory: join(sources, name, "wit") });
}

/** A deployment of the guest as the runtime gets it; what is left out is empty. */
export interface GuestDeployment {
  readonly grants?: object;
  readonly triggers?: object;
  readonly limits?: object;
  readonly config?: object;
}

export interface GuestOptions {
  readonly deployment?: GuestDeployment;
  readonly board: Board;
  readonly clock?: Clock;
  readonly report?: (stream: string, readings: readonly Reading[]) => Promise<void>;
  /** What happens after a crash; it stays down unless told otherwise. */
  readonly afterCrash?: "restart" | "give-up";
}

export interface RunningGuest {
  readonly component: RunningComponent;
  readonly witness: Witness;
  /** How its lives ended by themselves, first one first. */
  readonly ends: readonly ComponentEnd[];
}

export interface Guests extends AsyncDisposable {
  readonly cache: TranspileCache;
  /** What a life needs, for tests that start one themselves. */
  prepare(name: string, options: GuestOptions): Promise<IncarnationOptions & { readonly witness: Witness }>;
  start(name: string, options: GuestOptions): Promise<RunningGuest>;
}

/** Guests by name, or whatever else `build` makes of a name. */
export async function openGuests(build: (name: string) => Promise<Uint8Array> = buildGuest): Promise<Guests> {
  const directory = await createTemporaryDirectory();
  const cache = await openTranspileCache(directory.path, systemClock);
  const built = new Map<string, Promise<Uint8Array>>();
  const running: RunningComponent[] = [];
  const prepare: Guests["prepare"] = async (name, options) => {
    const building = built.get(name) ?? build(name);
    built.set(name, building);
    const bytes = await building;
    const deployment = parseGuestDeployment(name, options.deployment);
    await using file = await writeComponent(bytes);
    const outcome = await cache.prepare(file, (shape) => admitComponent(name, shape, deployment, options.board.ports));
    if (isRefusal(outcome)) throw new Error(formatRefusal(outcome));
    const { board, clock = systemClock, report = async () => undefined } = options;
    const witness = createWitness();
    const { transpiled, admitted: admission } = outcome;
    return { deployment, admission, transpiled, board, clock, report, listener: witness, witness };
  };
  return {
    cache,
    prepare,
    start: async (name, options) => {
      const prepared = await prepare(name, options);
      const { witness } = prepared;
      const ends: ComponentEnd[] = [];
      const component = startComponent({
        ...prepared,
        random: { uuid: () => "", fraction: () => 0 },
        onChange: () => witness.notice(),
        onCrash: (end) => {
          ends.push(end);
          witness.notice();
          return options.afterCrash ?? "give-up";
        },
      });
      running.push(component);
      return { component, witness, ends };
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(running.map((component) => component.stop()));
      await directory[Symbol.asyncDispose]();
    },
  };
}

export function parseGuestDeployment(
  name: string,
  deployment: GuestDeployment = {},
): v.InferOutput<typeof componentDeploymentSchema> {
  return v.parse(componentDeploymentSchema, { release: `${name}@1.0.0`, ...deployment });
}

/** A board of simulated parts: a thermometer that speaks when spoken to, one that speaks each second, a relay, a door. */
export function openTestBoard(clock: DeviceClock = createManualClock()): Promise<OpenedBoard> {
  const file = {
    serial: {
      probe: { simulated: "line-thermometer" },
      ticker: { simulated: "line-thermometer", options: { everyMs: 1000 } },
    },
    gpio: { relay: { simulated: "relay", direction: "out" }, door: { simulated: "button", direction: "in" } },
  };
  return openBoard(parseBoardFile(JSON.stringify(file)), { clock });
}
