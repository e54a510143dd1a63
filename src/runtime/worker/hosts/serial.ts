// outstation:gateway/serial for the guest: a lease on a port the main thread owns.
import type { HostCalls } from "../calls.ts";
import type { HostInterface } from "../shim.ts";
import { declare, toPortError } from "../witError.ts";

export function createSerialHost(calls: HostCalls): HostInterface {
  class Port {
    readonly #lease: number;

    constructor(lease: number) {
      this.#lease = lease;
    }

    read(maxBytes: number, timeoutMs: number | undefined): Promise<Uint8Array> {
      return declare(toPortError, calls.ask("serial.read", this.#lease, maxBytes, timeoutMs));
    }

    readLine(timeoutMs: number | undefined): Promise<string> {
      return declare(toPortError, calls.ask("serial.readLine", this.#lease, timeoutMs));
    }

    write(bytes: Uint8Array): Promise<undefined> {
      return declare(toPortError, calls.ask("serial.write", this.#lease, bytes));
    }

    discard(): Promise<undefined> {
      return declare(toPortError, calls.ask("serial.discard", this.#lease));
    }

    [Symbol.dispose](): void {
      calls.tell("close", this.#lease);
    }
  }
  const open = async (name: string): Promise<Port> =>
    new Port(await declare(toPortError, calls.ask("serial.open", name)));
  return { Port, open };
}
