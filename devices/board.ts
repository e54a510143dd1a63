// The board: named ports, each exclusive while open, whatever is behind them.
import type { GpioLine } from "./gpio/gpio.ts";
import type { SerialPort } from "./serial/serial.ts";
import type { UdpAddress, UdpSocket } from "./udp/udp.ts";

export type PortKind = "serial" | "gpio";

export interface PortDescription {
  readonly kind: PortKind;
  readonly name: string;
  /** For a GPIO line, its direction. */
  readonly direction?: "in" | "out";
  /** What is behind it, for people: "/dev/ttyUSB0", "GPIO17", "simulated line-thermometer". */
  readonly behind: string;
}

/** All hardware of a gateway. The main thread owns it and lends ports; a second open of a port rejects with "busy". */
export interface Board extends AsyncDisposable {
  readonly ports: readonly PortDescription[];
  /** What this gateway is, by the names releases use for it. */
  readonly hardware: readonly string[];
  openSerial(name: string): Promise<SerialPort>;
  openGpio(name: string): Promise<GpioLine>;
  openUdp(bind: UdpAddress): Promise<UdpSocket>;
  close(): Promise<void>;
}
