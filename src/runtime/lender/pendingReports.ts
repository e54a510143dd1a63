// Readings handed over and not yet durable: a component goes on at once, and learns of a failure at its next call.
import { limits } from "../../base/limits.ts";

export interface PendingReports {
  /** Takes one report; waits only when too many are pending. Rejects with the failure of an earlier one, once. */
  add(durable: Promise<void>): Promise<void>;
  /** Resolves when all are durable; rejects with the first failure not told yet. */
  flush(): Promise<void>;
  /** Resolves when none is pending, whatever became of them. */
  settled(): Promise<void>;
}

export function createPendingReports(): PendingReports {
  const pending = new Set<Promise<void>>();
  let failure: { readonly cause: unknown } | undefined;
  const tellFailure = (): void => {
    const untold = failure;
    failure = undefined;
    if (untold !== undefined) throw untold.cause;
  };
  const settled = async (): Promise<void> => {
    await Promise.allSettled(pending);
  };
  return {
    add: async (durable) => {
      const settling = durable.then(
        () => undefined,
        (cause: unknown) => {
          failure ??= { cause };
        },
      );
      pending.add(settling);
      void settling.then(() => pending.delete(settling));
      if (pending.size > limits.component.pendingReports) await Promise.race(pending);
      tellFailure();
    },
    flush: async () => {
      await settled();
      tellFailure();
    },
    settled,
  };
}
