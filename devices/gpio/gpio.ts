// What a GPIO line is to the rest of the product; the linux and the simulated driver both are one of these.

export interface GpioLine extends AsyncDisposable {
  readonly direction: "in" | "out";
  /** True when the line is active (active-low is applied by the driver). */
  read(): Promise<boolean>;
  /** Outputs only; DeviceError "wrong-direction" otherwise. */
  write(active: boolean): Promise<void>;
  /** Calls `onEdge` for every edge until the returned function is called. Inputs only. */
  watch(edges: "rising" | "falling" | "both", onEdge: (edge: Edge) => void): () => void;
  close(): Promise<void>;
}

export interface Edge {
  readonly rising: boolean;
  /** CLOCK_MONOTONIC nanoseconds, from the kernel where there is one. */
  readonly timestampNs: bigint;
  /** Counts edges of this line from 1; a gap means lost edges. */
  readonly sequence: number;
}

export interface GpioSettings {
  readonly direction: "in" | "out";
  readonly activeLow: boolean;
  readonly bias: "none" | "pull-up" | "pull-down";
  readonly debounceUs: number;
}
