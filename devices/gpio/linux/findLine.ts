// Finds a line by its name on any chip, or by chip label and offset; chip numbers change between kernels and boards.
import { DeviceError } from "../../error.ts";
import { deviceLimits } from "../../limits.ts";
import { orThrow } from "./failure.ts";
import type { GpioKernel } from "./kernel.ts";
import { decodeChipInfo, decodeLineName, encodeLineInfo, requests, sizes } from "./uapi.ts";

/** What the board file says: a name, a place, or both; the name is tried first. */
export interface LineAddress {
  readonly line?: string | undefined;
  readonly chip?: string | undefined;
  readonly offset?: number | undefined;
}

export interface FoundLine {
  /** Open descriptor of the chip; the caller closes it. */
  readonly chipFile: number;
  readonly offset: number;
}

/** Throws "missing" when no chip has the line, "not-permitted" when a chip that might have it does not open. */
export function findLine(kernel: GpioKernel, port: string, address: LineAddress): FoundLine {
  const found = searchChips(kernel, port, (chipFile) => offsetByName(kernel, chipFile, address.line));
  const place = found ?? searchChips(kernel, port, (chipFile) => offsetByPlace(kernel, chipFile, address));
  if (place !== undefined) return place;
  const wanted = [
    address.line === undefined ? [] : [`named "${address.line}"`],
    address.chip === undefined ? [] : [`${address.offset} of chip "${address.chip}"`],
  ].flat();
  throw new DeviceError("missing", `GPIO port "${port}": no chip has a line ${wanted.join(" or ")}; see gpioinfo.`);
}

function searchChips(
  kernel: GpioKernel,
  port: string,
  offsetOn: (chipFile: number) => number | undefined,
): FoundLine | undefined {
  let refused: number | undefined;
  for (let chip = 0; chip < deviceLimits.gpio.chips; chip += 1) {
    const chipFile = kernel.open(`/dev/gpiochip${chip}`);
    if (chipFile === -2) continue;
    if (chipFile < 0) {
      refused = chipFile;
      continue;
    }
    const offset = offsetOn(chipFile);
    if (offset !== undefined) return { chipFile, offset };
    kernel.close(chipFile);
  }
  if (refused !== undefined) orThrow(refused, port);
  return undefined;
}

function offsetByName(kernel: GpioKernel, chipFile: number, name: string | undefined): number | undefined {
  if (name === undefined) return undefined;
  const lines = readChip(kernel, chipFile)?.lines ?? 0;
  for (let offset = 0; offset < lines; offset += 1) {
    const line = encodeLineInfo(offset);
    if (kernel.ioctl(chipFile, requests.lineInfo, line) >= 0 && decodeLineName(line) === name) return offset;
  }
  return undefined;
}

function offsetByPlace(kernel: GpioKernel, chipFile: number, { chip, offset }: LineAddress): number | undefined {
  const info = readChip(kernel, chipFile);
  if (chip === undefined || offset === undefined || info === undefined) return undefined;
  return (info.label === chip || info.name === chip) && offset < info.lines ? offset : undefined;
}

function readChip(kernel: GpioKernel, chipFile: number): ReturnType<typeof decodeChipInfo> | undefined {
  const bytes = new Uint8Array(sizes.chipInfo);
  return kernel.ioctl(chipFile, requests.chipInfo, bytes) >= 0 ? decodeChipInfo(bytes) : undefined;
}
