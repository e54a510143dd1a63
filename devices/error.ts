// Failures of the hardware as one class; the runtime's table turns the code into the guest's WIT error.

export type DeviceErrorCode =
  | "unknown-port" // the board has no such port
  | "busy" // somebody else holds it
  | "missing" // the device behind the port is not there (now)
  | "not-permitted" // the operating system refuses
  | "disconnected" // it was there and went away while open
  | "wrong-direction" // an output was read as input or the reverse
  | "unsupported" // this platform or driver cannot do it
  | "invalid" // an argument is out of bounds
  | "closed" // used after close
  | "failed"; // anything else the driver reports

export class DeviceError extends Error {
  readonly code: DeviceErrorCode;

  constructor(code: DeviceErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "DeviceError";
    this.code = code;
  }
}
