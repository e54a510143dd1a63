// A link whose broker is a function: for downloads alone.
import { type Link, LinkError } from "../../src/link/link.ts";

/** What is fetched with no time limit and is not there is waited for until the fetch is aborted, as on a real link. */
export function createMapLink(fetch: (topic: string) => Promise<Uint8Array | undefined>): Link {
  const link = {
    online: true,
    onOnline: () => () => {},
    onOffline: () => () => {},
    traffic: { socket: { in: 0, out: 0 } },
    fetch: async (topic: string, { maxBytes, timeoutMs, signal }: Parameters<Link["fetch"]>[1]) => {
      const payload = await fetch(topic);
      if (payload === undefined && timeoutMs === null) return untilAborted(signal);
      if (payload === undefined) throw new LinkError("timeout", `nothing at ${topic}`, { retryable: true });
      if (payload.length > maxBytes) throw new LinkError("too-large", `too much at ${topic}`);
      // A link gives its bytes away: who takes a chunk may release its memory at once.
      return payload.slice();
    },
  };
  // What downloads need of a link, and no more.
  return link as unknown as Link;
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal?.aborted === true) reject(signal.reason);
  });
}
