// A component that takes memory until it is refused, and then says how much it got, or dies of it.
const blockBytes = 256 * 1024;
const kept: Uint8Array[] = [];

export const onInterval = {
  handle(): void {
    for (;;) take();
  },
};

export const onMessage = {
  handle(): string {
    try {
      for (;;) take();
    } catch {
      const held = kept.length * blockBytes;
      kept.length = 0;
      return String(held);
    }
  },
};

function take(): void {
  kept.push(new Uint8Array(blockBytes).fill(1));
}
