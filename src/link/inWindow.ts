// Runs numbered tasks a few at a time; used for the chunks of a blob.

/**
 * Runs `task(0)` to `task(count - 1)`, at most `window` at once. After a failure it starts no more, waits for those under
 * way, and rejects with the first.
 */
export async function runInWindow(
  count: number,
  window: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { readonly thrown: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (next < count && failure === undefined) {
      const index = next;
      next += 1;
      try {
        await task(index);
      } catch (thrown) {
        failure ??= { thrown };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(window, count) }, lane));
  if (failure !== undefined) throw failure.thrown;
}
