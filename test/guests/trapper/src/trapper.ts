// A component that throws: at every tick, or when it is told to.
export const onInterval = {
  handle(): void {
    throw new Error("the valve is stuck");
  },
};

export const onMessage = {
  handle(method: string): string {
    if (method === "recurse") return recurse(0);
    throw new Error("the pump is dry");
  },
};

function recurse(depth: number): string {
  return recurse(depth + 1) + depth;
}
