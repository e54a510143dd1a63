// Error numbers of the kernel as DeviceErrors.
import { DeviceError } from "../../error.ts";
import type { DeviceErrorCode } from "../../error.ts";

const codes: Readonly<Record<number, readonly [DeviceErrorCode, string]>> = {
  1: ["not-permitted", "the system forbids it (EPERM)"],
  2: ["missing", "there is no such chip (ENOENT)"],
  6: ["unsupported", "the chip cannot do that (ENXIO)"],
  13: ["not-permitted", "add the agent's user to the group that owns /dev/gpiochip*, usually gpio (EACCES)"],
  16: ["busy", "something else holds the line, a driver or a program; see gpioinfo (EBUSY)"],
  19: ["disconnected", "the chip went away (ENODEV)"],
  22: ["invalid", "the chip does not take these settings (EINVAL)"],
  95: ["unsupported", "the chip cannot do that (EOPNOTSUPP)"],
  524: ["unsupported", "the chip cannot do that (ENOTSUPP)"],
};

/** Gives the result back, or throws what its error number means. */
export function orThrow(result: number, port: string): number {
  if (result >= 0) return result;
  const [code, meaning] = codes[-result] ?? ["failed", `the kernel reports error ${-result}`];
  throw new DeviceError(code, `GPIO port "${port}": ${meaning}.`);
}
