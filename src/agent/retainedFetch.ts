// Files of a repository as retained messages, or else from the fallback; what neither has is missing, not an error.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { LinkError, type Link } from "../link/link.ts";
import type { FetchFile } from "../trust/fetchFile.ts";
import { cameMeanwhile, type GetFile } from "./getFallback.ts";

export interface RetainedFetchOptions {
  readonly fetchTopic: Link["fetch"];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface RetainedFiles {
  readonly topicOf: (file: string) => string;
  /** Asked for what does not come as a retained message. */
  readonly fallback?: GetFile;
}

/** Makes the fetch of one repository, for one refresh. Rejects with LinkError "offline" when not connected. */
export function createRetainedFetch(options: RetainedFetchOptions): (files: RetainedFiles) => FetchFile {
  const { fetchTopic, clock, signal } = options;
  return ({ topicOf, fallback }) => {
    // Once the fallback had what the broker had not, the broker is not waited for again in this refresh.
    let isLost = false;
    return async (file, maxBytes) => {
      if (isLost) return fallback?.(file, maxBytes, signal);
      const over = new AbortController();
      const ends = AbortSignal.any([signal, over.signal]);
      const retained = fetchTopic(topicOf(file), { maxBytes, signal: ends }).catch(toMissing);
      // A broker that has it answers long before; one that has not never says so.
      const waited = fallback && clock.sleep(limits.get.afterMs, ends);
      const asked = waited?.then(() => fallback?.(file, maxBytes, ends)) ?? Promise.resolve(undefined);
      const found = asked.then((bytes) => {
        isLost = bytes !== undefined;
        return bytes ?? retained;
      });
      let came: Uint8Array | undefined;
      try {
        came = await Promise.race([retained, found]);
        return came;
      } finally {
        over.abort(came && cameMeanwhile);
        // What came second, or was aborted just now, is of no interest.
        for (const late of [retained, found]) late.catch(() => undefined);
      }
    };
  };
}

function toMissing(error: unknown): undefined {
  if (error instanceof LinkError && error.code === "timeout") return undefined;
  throw error;
}
