// Whether a file is a WebAssembly component at all, told before anything is signed.
import { OperatorError } from "./error.ts";

/** Magic, then version 13 and layer 1: how every component of the preview binary format begins. */
const componentStart = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
/** Magic, then version 1 and layer 0. */
const moduleStart = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** OperatorError "release-invalid" that says what the file is instead, and what to do. */
export function checkComponent(bytes: Uint8Array, source: string): void {
  if (beginsWith(bytes, componentStart)) return;
  throw new OperatorError("release-invalid", describeOther(bytes, source));
}

function describeOther(bytes: Uint8Array, source: string): string {
  if (bytes.length === 0) return `${source} is empty. Check the path of the built file.`;
  if (beginsWith(bytes, moduleStart))
    return `${source} is a core WebAssembly module, not a component. Build for a component target such as wasm32-wasip2, or make one of it: wasm-tools component new ${source} -o component.wasm`;
  return `${source} is not WebAssembly. Give the built component, a .wasm file.`;
}

function beginsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}
