// Waits for the link to be online.
import type { Link } from "./link.ts";

/** Resolves at once while the link is online, else when it next is; rejects with the signal's reason. */
export function whenOnline(link: Pick<Link, "online" | "onOnline">, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    if (link.online) return resolve();
    const abort = (): void => {
      stop();
      reject(signal?.reason);
    };
    const stop = link.onOnline(() => {
      stop();
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}
