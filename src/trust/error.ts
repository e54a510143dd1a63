// Failures of the gateway itself while it verifies; what a repository got wrong is a Refusal and never thrown.
import { OutstationError } from "../base/error.ts";

export class TrustError extends OutstationError<
  "tuf-js-changed" | "scratch-failed" | "floors-unreadable" | "factory-root-invalid"
> {}
