// A link whose broker is a function: for downloads alone.
import { type Link, LinkError } from "../../src/link/link.ts";

export function createMapLink(fetch: (topic: string) => Promise<Uint8Array | undefined>): Link {
  const link: Pick<Link, "online" | "onOnline" | "onOffline" | "fetch"> & { traffic: Pick<Link["traffic"], "socket"> } =
    {
      online: true,
      onOffline: () => () => {},
      traffic: { socket: { in: 0, out: 0 } },
      onOnline: () => () => {},
      fetch: async (topic, { maxBytes }) => {
        const payload = await fetch(topic);
        if (payload === undefined) throw new LinkError("timeout", `nothing at ${topic}`, { retryable: true });
        if (payload.length > maxBytes) throw new LinkError("too-large", `too much at ${topic}`);
        return payload;
      },
    };
  // What downloads need of a link, and no more.
  return link as unknown as Link;
}
