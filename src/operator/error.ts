// What can go wrong on the operator's machine; every message says what to do about it.
import { OutstationError } from "../base/error.ts";

export class OperatorError extends OutstationError<
  | "file-missing"
  | "file-exposed"
  | "file-failed"
  | "key-exists"
  | "key-locked"
  | "key-unreadable"
  | "workspace-exists"
  | "workspace-missing"
  | "workspace-invalid"
  | "workspace-busy"
  | "release-exists"
  | "release-invalid"
  | "release-missing"
  | "release-too-large"
  | "gateway-invalid"
  | "gateway-missing"
  | "deployment-invalid"
  | "provenance-refused"
  | "oci-invalid"
  | "broker-unreachable"
  | "broker-refused"
  | "no-answer"
  | "interrupted"
> {}
