// A component for tests: its configuration and its commands say how it behaves.
import { get } from "wasi:config/store@0.2.0-rc.1";
import { open } from "outstation:gateway/gpio@0.1.0";
import { report } from "outstation:gateway/readings@0.1.0";

let count = 0;
let shallCrash = false;
let relay: ReturnType<typeof open> | undefined;

export const onInterval = {
  handle(): void {
    const behaviour = get("behaviour");
    if (behaviour === "hang") for (;;);
    if (behaviour === "crash" || shallCrash) throw new Error("the pump is gone");
    if (behaviour === "switch") (relay ??= open("relay")).set(true);
    if (behaviour === "report") report("beat", [{ metric: "beat", value: { tag: "number", val: 1 } }]);
  },
};

export const onMessage = {
  handle(method: string): string {
    if (method === "crash") shallCrash = true;
    count += 1;
    return JSON.stringify(count);
  },
};
