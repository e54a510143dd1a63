// Keeps serial data flowing on Node 26.3 and later, where the native poller's callback no longer drains the microtasks.
import { Poller } from "@serialport/bindings-cpp/dist/poller.js";

let guarded = false;

/**
 * From Node 26.3 on, promises that a native event settles are not continued before some other callback of the event
 * loop runs, so an idle process never sees its data. An empty immediate
 * after each event is such a callback.
 */
export function guardPoller(nodeVersion: string = process.versions.node): boolean {
  if (guarded || !isAffected(nodeVersion)) return guarded;
  const emit = Poller.prototype.emit;
  Poller.prototype.emit = function emitAndDrain(this: Poller, ...event: Parameters<typeof emit>): boolean {
    const heard = emit.apply(this, event);
    setImmediate(() => {});
    return heard;
  };
  guarded = true;
  return guarded;
}

export function isAffected(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  return major > 26 || (major === 26 && minor >= 3);
}
