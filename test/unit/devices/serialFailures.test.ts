// What the native binding says when a port does not open becomes a code and an advice.
import { expect, it } from "vitest";
import { describeOpenFailure } from "../../../devices/serial/linux.ts";

it.each([
  ["Error: No such file or directory, cannot open /dev/ttyUSB0", "missing", "not plugged in"],
  ["Error: No such device or address, cannot open /dev/ttyS9", "missing", "not plugged in"],
  ["Error: Permission denied, cannot open /dev/ttyUSB0", "not-permitted", "dialout"],
  ["Error Resource temporarily unavailable Cannot lock port", "busy", "stop that program"],
  ["Error: Device or resource busy, cannot open /dev/ttyUSB0", "busy", "stop that program"],
  ["Error: Inappropriate ioctl for device, cannot open /dev/null", "unsupported", "not a serial port"],
  ["Error: Input/output error setting custom baud rate of 12", "failed", "Input/output error"],
])("%s", (words, code, advice) => {
  const failure = describeOpenFailure("/dev/ttyUSB0", new Error(words));
  expect(failure).toMatchObject({ code, cause: { message: words } });
  expect(failure.message).toContain(advice);
});
