// Failures of the sandbox machinery itself; what a component does wrong is a value (`ComponentEnd`), not one of these.
import { OutstationError } from "../base/error.ts";

export class RuntimeFailure extends OutstationError<
  "transpile-failed" | "transpile-ended" | "cache-corrupt" | "not-a-component" | "stopped"
> {}
