// Subscriptions and unsubscriptions of one moment as one packet each: the chunks of a window cost one round.
import type { Subscription } from "./connection.ts";
import { offlineError } from "./link.ts";
import type { Subscriber } from "./subscriptions.ts";

export interface Batches {
  /** Settles with the packet it went in: a broker that refuses one topic of it refuses them all. */
  subscribe(filter: string, qos: 0 | 1): Promise<void>;
  unsubscribe(filter: string): Promise<void>;
}

/**
 * Nothing is held back: a packet goes as soon as the code that runs now has said all it wants. What is asked for one
 * filter keeps its order.
 */
export function createBatches(connection: () => Subscriber | undefined): Batches {
  const subscribing = createBatch<Subscription>((entries) => connected(connection).subscribe(entries));
  const unsubscribing = createBatch<string>((filters) => connected(connection).unsubscribe(filters));
  return {
    subscribe: (filter, qos) => {
      if (unsubscribing.has(filter)) unsubscribing.flush();
      return subscribing.add(filter, { filter, qos });
    },
    unsubscribe: (filter) => {
      if (subscribing.has(filter)) subscribing.flush();
      return unsubscribing.add(filter, filter);
    },
  };
}

function connected(connection: () => Subscriber | undefined): Subscriber {
  const subscriber = connection();
  if (subscriber === undefined) throw offlineError();
  return subscriber;
}

interface Batch<Entry> {
  add(filter: string, entry: Entry): Promise<void>;
  has(filter: string): boolean;
  flush(): void;
}

function createBatch<Entry>(send: (entries: readonly Entry[]) => Promise<void>): Batch<Entry> {
  let waiting = new Map<string, Entry>();
  let sent = Promise.withResolvers<void>();
  const flush = (): void => {
    if (waiting.size === 0) return;
    const entries = [...waiting.values()];
    const { resolve, reject } = sent;
    waiting = new Map();
    sent = Promise.withResolvers<void>();
    new Promise<void>((settle) => settle(send(entries))).then(resolve, reject);
  };
  return {
    add: (filter, entry) => {
      if (waiting.size === 0) queueMicrotask(flush);
      waiting.set(filter, entry);
      return sent.promise;
    },
    has: (filter) => waiting.has(filter),
    flush,
  };
}
