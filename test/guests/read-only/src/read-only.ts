// A component that tries to write on a port it may only read, to open what it was not granted, and to switch an input.
import { open as openLine } from "outstation:gateway/gpio@0.1.0";
import { open as openSerial } from "outstation:gateway/serial@0.1.0";

export const onMessage = {
  handle(method: string, params: string): string {
    const { port } = JSON.parse(params) as { port: string };
    if (method === "write") return attempt(() => openSerial(port).write(Uint8Array.of(10)));
    if (method === "read") return attempt(() => openSerial(port).readLine(undefined));
    if (method === "set") return attempt(() => openLine(port).set(true));
    return attempt(() => openLine(port));
  },
};

function attempt(work: () => unknown): string {
  try {
    work();
    return "ok";
  } catch (error) {
    return (error as { payload: { tag: string } }).payload.tag;
  }
}
