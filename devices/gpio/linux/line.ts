// A GPIO line of the kernel: requested once with its settings, read, written and watched until it is closed.
import { DeviceError } from "../../error.ts";
import type { GpioLine, GpioSettings } from "../gpio.ts";
import { createWatchers } from "../watchers.ts";
import { createEdgePump } from "./edgePump.ts";
import type { EdgePump } from "./edgePump.ts";
import { orThrow } from "./failure.ts";
import { findLine } from "./findLine.ts";
import type { LineAddress } from "./findLine.ts";
import type { GpioKernel } from "./kernel.ts";
import {
  decodeLineFile,
  decodeValues,
  encodeLineConfig,
  encodeLineRequest,
  encodeValues,
  requests,
  sizes,
} from "./uapi.ts";
import type { LineEvent } from "./uapi.ts";

export interface GpioDriver {
  /** An output starts inactive. Rejects with "missing", "busy", "not-permitted", "unsupported" or "invalid". */
  open(port: string, address: LineAddress, settings: GpioSettings): Promise<GpioLine>;
}

const consumer = "outstation";

/** One driver serves all lines of a board, so that one thread waits for all their edges. */
export function createGpioDriver(kernel: GpioKernel, monotonicNs: () => bigint): GpioDriver {
  const pump = createEdgePump(kernel);
  return {
    open: async (port, address, settings) => {
      const file = requestLine(kernel, port, address, settings);
      return driveLine({ kernel, pump, port, file, settings, monotonicNs });
    },
  };
}

function requestLine(kernel: GpioKernel, port: string, address: LineAddress, settings: GpioSettings): number {
  const { chipFile, offset } = findLine(kernel, port, address);
  try {
    const request = encodeLineRequest(offset, consumer, settings);
    orThrow(kernel.ioctl(chipFile, requests.getLine, request), port);
    return decodeLineFile(request);
  } finally {
    kernel.close(chipFile);
  }
}

interface OpenLine {
  readonly kernel: GpioKernel;
  readonly pump: EdgePump;
  readonly port: string;
  readonly file: number;
  readonly settings: GpioSettings;
  readonly monotonicNs: () => bigint;
}

function driveLine(line: OpenLine): GpioLine {
  const { kernel, port, file, settings } = line;
  let closing: Promise<void> | undefined;

  const control = (request: number, argument: Uint8Array): void => {
    if (closing !== undefined) throw new DeviceError("closed", `GPIO port "${port}" is closed; open it again.`);
    orThrow(kernel.ioctl(file, request, argument), port);
  };
  const watching = watchLine(line, control);

  const close = (): Promise<void> => {
    closing ??= watching.stop().then(() => void kernel.close(file));
    return closing;
  };

  return {
    direction: settings.direction,
    read: async () => {
      const values = new Uint8Array(sizes.values);
      values[8] = 1;
      control(requests.getValues, values);
      return decodeValues(values);
    },
    write: async (active) => {
      if (settings.direction === "in")
        throw new DeviceError("wrong-direction", `GPIO port "${port}" is an input; the board file decides that.`);
      control(requests.setValues, encodeValues(active));
    },
    watch: watching.watch,
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Watching {
  readonly watch: GpioLine["watch"];
  stop(): Promise<void>;
}

/** Edges are asked of the kernel only while somebody watches: a chip without interrupts serves plain reads. */
function watchLine(line: OpenLine, control: (request: number, argument: Uint8Array) => void): Watching {
  const { pump, port, file, settings } = line;
  const watchers = createWatchers();
  let lastSequence = 0;
  let sinceNs = 0n;

  const receive = (events: readonly LineEvent[]): void => {
    for (const { rising, timestampNs, lineSequence } of events) {
      const lost = Math.max(0, lineSequence - lastSequence - 1);
      lastSequence = lineSequence;
      // What the kernel kept from an earlier watch is not news.
      if (timestampNs >= sinceNs) watchers.deliver(rising, timestampNs, lost);
    }
  };

  const unwatch = (watcher: symbol): void => {
    const before = watchers.wanted;
    if (!watchers.remove(watcher)) return;
    // Unchecked: a line that went away has no edges to switch off.
    if (watchers.wanted !== before)
      line.kernel.ioctl(file, requests.setConfig, encodeLineConfig(settings, watchers.wanted));
    if (watchers.wanted === "none") void pump.remove(file);
  };

  return {
    watch: (edges, onEdge) => {
      if (settings.direction === "out")
        throw new DeviceError("wrong-direction", `GPIO port "${port}" is an output; only inputs have edges to watch.`);
      const before = watchers.wanted;
      if (before === "none") sinceNs = line.monotonicNs();
      const watcher = watchers.add(edges, onEdge);
      try {
        if (watchers.wanted !== before) control(requests.setConfig, encodeLineConfig(settings, watchers.wanted));
      } catch (error) {
        watchers.remove(watcher);
        throw error;
      }
      if (before === "none") pump.add(file, receive);
      return () => unwatch(watcher);
    },
    stop: async () => {
      watchers.clear();
      await pump.remove(file);
    },
  };
}
