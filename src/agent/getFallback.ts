// Files of a repository from whoever serves the fleet, for brokers that lost their retained messages or have none.
import type { Ask } from "../link/ask.ts";
import { offlineError } from "../link/link.ts";
import { isRoundFile } from "../protocol/packing.ts";
import type { GetRequest } from "../protocol/get.ts";

export type Repository = Extract<GetRequest, { want: "file" }>["repository"];

/** Undefined when it is not to be had there. Rejects with LinkError "offline" when nobody could be asked, or as aborted. */
export type GetFile = (file: string, maxBytes: number, signal: AbortSignal) => Promise<Uint8Array | undefined>;

/** Why asking is aborted when the file came in another way meanwhile. */
export const cameMeanwhile: unique symbol = Symbol("the file came meanwhile");

/**
 * For one refresh of one repository: after the first file that was not to be had nothing more is asked, so a gateway for
 * which nothing is published, or a fleet that nobody serves, costs one request a refresh.
 */
export function createGetFallback(ask: Ask): (repository: Repository) => GetFile {
  return (repository) => {
    let isInVain = false;
    return async (file, maxBytes, signal) => {
      // A difference is made when it is published, and lies nowhere else; the files themselves are asked for instead.
      if (isInVain || isRoundFile(file)) return undefined;
      // Also when nobody waits for the end of it any more.
      isInVain = true;
      let found: Uint8Array | undefined;
      const answered = ask(
        { want: "file", repository, file },
        {
          parts: new Set([0]),
          isWanted: (_part, payload) => payload.length <= maxBytes,
          take: (_part, payload) => {
            found = payload;
          },
          signal,
        },
      );
      const end = await answered.catch((thrown: unknown) => {
        // Nobody knows whether it would have been in vain.
        isInVain = signal.reason !== cameMeanwhile;
        throw thrown;
      });
      if (end === "offline") throw offlineError();
      isInVain = found === undefined;
      return found;
    };
  };
}
