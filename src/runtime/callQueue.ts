// Handler calls of one component: one at a time, in order of arrival, bounded; the oldest waiting one is dropped.

/** One call that waits for its turn. `key` marks calls of which at most one waits (a timer's tick). */
export interface QueuedCall {
  readonly key?: string;
  run(): Promise<void>;
  /** Called instead of `run` when the call is dropped, with the reason. */
  drop(reason: string): void;
}

export interface CallQueue {
  push(call: QueuedCall): void;
  /** Drops everything that waits; later pushes are dropped at once. */
  close(reason: string): void;
}

export function createCallQueue(depth: number): CallQueue {
  const waiting: QueuedCall[] = [];
  let running: QueuedCall | undefined;
  let closed: string | undefined;
  const next = async (): Promise<void> => {
    while ((running = waiting.shift()) !== undefined) await running.run();
  };
  return {
    push: (call) => {
      if (closed !== undefined) return call.drop(closed);
      const repeated = call.key !== undefined && [running, ...waiting].some((other) => other?.key === call.key);
      if (repeated) return call.drop("the component is still busy with the one before");
      if (waiting.length >= depth) waiting.shift()?.drop("the component is too slow: its queue is full");
      waiting.push(call);
      if (running === undefined) void next();
    },
    close: (reason) => {
      closed = reason;
      for (const call of waiting.splice(0)) call.drop(reason);
    },
  };
}
