// The director's timestamp as the broker sends it by itself at every connect and change: it need not be fetched again.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { FetchFile } from "../trust/fetchFile.ts";

export interface HeardTimestamp {
  /** What came by subscription. An empty message means that there is none any more. */
  hear(payload: Uint8Array): void;
  /** The connection is gone: what the next broker says counts. */
  forget(): void;
  /** The same fetch, but that the timestamp is what was heard, or is given a moment to be heard. */
  before(fetchFile: FetchFile): FetchFile;
}

export function createHeardTimestamp(clock: Clock): HeardTimestamp {
  let heard: Uint8Array | undefined;
  let tell = (): void => {};
  const soon = async (): Promise<void> => {
    if (heard !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    tell = resolve;
    const cancel = clock.after(limits.link.heardMs, resolve);
    await promise;
    cancel();
  };
  return {
    hear: (payload) => {
      heard = payload.length === 0 ? undefined : payload;
      tell();
    },
    forget: () => {
      heard = undefined;
    },
    before: (fetchFile) => async (name, maxBytes) => {
      if (name !== "timestamp.json") return fetchFile(name, maxBytes);
      await soon();
      return heard !== undefined && heard.length <= maxBytes ? heard : fetchFile(name, maxBytes);
    },
  };
}
