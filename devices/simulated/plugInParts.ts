// Makes the simulated parts of a board file and joins them to the trace.
import type { BoardFile } from "../boardFile.ts";
import type { DeviceClock } from "../clock.ts";
import { createSimulatedGpio } from "../gpio/simulated.ts";
import type { SimulatedGpio } from "../gpio/simulated.ts";
import { createSimulatedSerial } from "../serial/simulated.ts";
import type { SimulatedSerial } from "../serial/simulated.ts";
import { createLineThermometer } from "./lineThermometer.ts";
import type { Trace } from "./trace.ts";

export interface SimulatedParts {
  readonly serial: ReadonlyMap<string, SimulatedSerial>;
  readonly gpio: ReadonlyMap<string, SimulatedGpio>;
  /** Power off for all of them. */
  stop(): void;
}

export function plugInParts(file: BoardFile, clock: DeviceClock, trace: Trace): SimulatedParts {
  const serial = new Map<string, SimulatedSerial>();
  const gpio = new Map<string, SimulatedGpio>();
  for (const [name, entry] of Object.entries(file.serial)) {
    if (!("simulated" in entry)) continue;
    const record = trace.record.bind(undefined, name);
    serial.set(
      name,
      createSimulatedSerial(name, (send) => createLineThermometer(entry.options, { clock, send, record })),
    );
  }
  for (const [name, entry] of Object.entries(file.gpio)) {
    if (!("simulated" in entry)) continue;
    const everyMs = entry.simulated === "button" ? entry.options.everyMs : undefined;
    const record = trace.record.bind(undefined, name);
    gpio.set(name, createSimulatedGpio(name, { direction: entry.direction, everyMs, clock, record }));
  }
  return {
    serial,
    gpio,
    stop: () => {
      for (const port of serial.values()) port.unplug();
      for (const line of gpio.values()) line.stop();
    },
  };
}
