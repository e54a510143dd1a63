// One poll thread for the edges of all lines: hands each line its events and lets go of a line before it is closed.
import { deviceLimits } from "../../limits.ts";
import type { GpioKernel } from "./kernel.ts";
import { decodeEvents, sizes } from "./uapi.ts";
import type { LineEvent } from "./uapi.ts";

export interface EdgePump {
  /** Events of the file go to `onEvents` from now on, until `remove` or until the file breaks. */
  add(lineFile: number, onEvents: (events: readonly LineEvent[]) => void): void;
  /** Resolves when no poll looks at the file any more, so that it can be closed. */
  remove(lineFile: number): Promise<void>;
}

const eventsPerRead = 16;

export function createEdgePump(kernel: GpioKernel): EdgePump {
  const listeners = new Map<number, (events: readonly LineEvent[]) => void>();
  let running = false;
  let polled: readonly number[] = [];
  let round = Promise.resolve();

  const deliver = (lineFile: number): void => {
    const listener = listeners.get(lineFile);
    if (listener === undefined) return;
    const bytes = new Uint8Array(eventsPerRead * sizes.event);
    const length = kernel.read(lineFile, bytes);
    // A descriptor that is ready and cannot be read would be ready for ever.
    if (length <= 0) listeners.delete(lineFile);
    else listener(decodeEvents(bytes.subarray(0, length)));
  };

  const run = async (): Promise<void> => {
    running = true;
    while (listeners.size > 0) {
      const turn = Promise.withResolvers<void>();
      round = turn.promise;
      polled = [...listeners.keys()];
      const ready = await kernel.poll(polled, deviceLimits.gpio.pollMs);
      polled = [];
      turn.resolve();
      for (const lineFile of ready) deliver(lineFile);
    }
    running = false;
  };

  return {
    add: (lineFile, onEvents) => {
      listeners.set(lineFile, onEvents);
      if (!running) void run();
    },
    remove: async (lineFile) => {
      listeners.delete(lineFile);
      if (polled.includes(lineFile)) await round;
    },
  };
}
