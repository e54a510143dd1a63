// Asks whoever serves the fleet for what the broker does not hold, and takes of the answer only what was asked for.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { GetRequest } from "../protocol/get.ts";
import type { GatewayTopics } from "../protocol/topics.ts";
import { type Link, LinkError } from "./link.ts";
import { watchStall } from "./stall.ts";

/** `none`: there is nobody who has it; `silent`: no answer, or it broke off; `offline`: it could not even be asked. */
export type AskEnd = "answered" | "none" | "silent" | "offline";

export interface Wanted {
  readonly parts: ReadonlySet<number>;
  /** Whether it can be this part, by its length; nothing else of it is trusted. */
  readonly isWanted: (part: number, payload: Uint8Array) => boolean;
  /** Called once a part at most; the part is acknowledged when it resolved. */
  readonly take: (part: number, payload: Uint8Array) => void | Promise<void>;
  readonly signal: AbortSignal;
}

/** "answered" when every part was taken. Rejects with the signal's reason, LinkError `closed`, or what `take` rejected with. */
export type Ask = (request: GetRequest, wanted: Wanted) => Promise<AskEnd>;

export interface AskOptions {
  readonly link: Link;
  readonly topics: GatewayTopics;
  readonly clock: Clock;
  readonly random: Random;
}

export function createAsk({ link, topics, clock, random }: AskOptions): Ask {
  return async (request, wanted) => {
    const id = random.uuid();
    const { promise, resolve, reject } = Promise.withResolvers<AskEnd>();
    const stall = watchStall(link, { clock, timeoutMs: limits.get.timeoutMs }, () => resolve("silent"));
    const abort = (): void => reject(wanted.signal.reason);
    wanted.signal.addEventListener("abort", abort, { once: true });
    let receive: Receive | undefined = createReceive(wanted, { moved: stall.moved, resolve, reject });
    // Aborted or over before anybody waits for it.
    promise.catch(() => undefined);
    let unsubscribe: (() => Promise<void>) | undefined;
    try {
      wanted.signal.throwIfAborted();
      unsubscribe = await link.subscribe(topics.gots(id), async (topic, payload) => {
        await receive?.(topic.slice(topic.lastIndexOf("/") + 1), payload);
      });
      await link.publish({ topic: topics.get(id), payload: JSON.stringify(request) }, wanted.signal);
      return await promise;
    } catch (thrown) {
      if (!(thrown instanceof LinkError) || thrown.code === "closed") throw thrown;
      // Refused by its ACL: to the gateway that is a fleet nobody serves.
      return thrown.retryable ? "offline" : "silent";
    } finally {
      receive = undefined;
      stall.stop();
      wanted.signal.removeEventListener("abort", abort);
      // The broker's answer to it is of no interest, and the link says what went wrong.
      void unsubscribe?.();
    }
  };
}

type Receive = (part: string, payload: Uint8Array) => Promise<void>;

interface Receiver {
  readonly moved: () => void;
  readonly resolve: (end: AskEnd) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Too long, repeated, never asked for: whatever else comes at this request's topics is passed over, and keeps nobody
 * waiting.
 */
function createReceive({ parts, isWanted, take }: Wanted, { moved, resolve, reject }: Receiver): Receive {
  const open = new Set([...parts].map(String));
  let taking = 0;
  return async (part, payload) => {
    if (part === "none") return resolve("none");
    if (!open.has(part) || !isWanted(Number(part), payload)) return;
    open.delete(part);
    moved();
    taking += 1;
    try {
      await take(Number(part), payload);
    } catch (thrown) {
      return reject(thrown);
    }
    taking -= 1;
    if (open.size + taking === 0) resolve("answered");
  };
}
