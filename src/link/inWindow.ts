// Runs numbered tasks a few at a time; used for the chunks of a blob.

/** Runs `task(0)` to `task(count - 1)`, at most `window` at once; on the first failure starts no more and rejects with it. */
export async function runInWindow(
  count: number,
  window: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < count && !failed) {
      const index = next;
      next += 1;
      try {
        await task(index);
      } catch (thrown) {
        failed = true;
        throw thrown;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(window, count) }, lane));
}
