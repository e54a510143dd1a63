// outstation:gateway/gpio for the guest: a lease on a line the main thread owns.
import type { HostCalls } from "../calls.ts";
import type { HostInterface } from "../shim.ts";
import { declare, toPortError } from "../witError.ts";

export function createGpioHost(calls: HostCalls): HostInterface {
  class Line {
    readonly #lease: number;

    constructor(lease: number) {
      this.#lease = lease;
    }

    get(): Promise<boolean> {
      return declare(toPortError, calls.ask("gpio.get", this.#lease));
    }

    set(active: boolean): Promise<undefined> {
      return declare(toPortError, calls.ask("gpio.set", this.#lease, active));
    }

    [Symbol.dispose](): void {
      calls.tell("close", this.#lease);
    }
  }
  const open = async (name: string): Promise<Line> =>
    new Line(await declare(toPortError, calls.ask("gpio.open", name)));
  return { Line, open };
}
