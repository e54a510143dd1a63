// The structures of the kernel's GPIO character device, version 2 (linux/gpio.h), to bytes and back; no system calls.
import type { GpioSettings } from "../gpio.ts";

/** Request numbers of ioctl; direction, size, 0xb4 and a number, the same on every 64-bit and 32-bit ARM and x86. */
export const requests = {
  chipInfo: 0x8044b401,
  lineInfo: 0xc100b405,
  getLine: 0xc250b407,
  setConfig: 0xc110b40d,
  getValues: 0xc010b40e,
  setValues: 0xc010b40f,
} as const;

export const sizes = { chipInfo: 68, lineInfo: 256, lineRequest: 592, lineConfig: 272, values: 16, event: 48 } as const;

export type Edges = "none" | "rising" | "falling" | "both";

const flags = {
  activeLow: 1 << 1,
  input: 1 << 2,
  output: 1 << 3,
  risingEdge: 1 << 4,
  fallingEdge: 1 << 5,
  pullUp: 1 << 8,
  pullDown: 1 << 9,
  noBias: 1 << 10,
} as const;
const debounceAttribute = 3;
const risingEvent = 1;

// Offsets within the structures.
const request = { consumer: 256, config: 288, lineCount: 560, file: 588 } as const;
const config = { attributeCount: 8, attributes: 32 } as const;
const nameBytes = 32;

export interface ChipInfo {
  readonly name: string;
  readonly label: string;
  readonly lines: number;
}

/** struct gpiochip_info */
export function decodeChipInfo(bytes: Uint8Array): ChipInfo {
  return { name: decodeName(bytes, 0), label: decodeName(bytes, nameBytes), lines: view(bytes).getUint32(64, true) };
}

/** struct gpio_v2_line_info, asking for one offset */
export function encodeLineInfo(offset: number): Uint8Array {
  const bytes = new Uint8Array(sizes.lineInfo);
  view(bytes).setUint32(64, offset, true);
  return bytes;
}

export function decodeLineName(bytes: Uint8Array): string {
  return decodeName(bytes, 0);
}

/** struct gpio_v2_line_config for the only line of a request */
export function encodeLineConfig(settings: GpioSettings, edges: Edges): Uint8Array {
  const bytes = new Uint8Array(sizes.lineConfig);
  const fields = view(bytes);
  fields.setBigUint64(0, BigInt(lineFlags(settings, edges)), true);
  if (settings.direction === "out" || settings.debounceUs === 0) return bytes;
  fields.setUint32(config.attributeCount, 1, true);
  fields.setUint32(config.attributes, debounceAttribute, true);
  fields.setUint32(config.attributes + 8, settings.debounceUs, true);
  fields.setBigUint64(config.attributes + 16, 1n, true);
  return bytes;
}

/** struct gpio_v2_line_request for one line; an output starts inactive */
export function encodeLineRequest(offset: number, consumer: string, settings: GpioSettings): Uint8Array {
  const bytes = new Uint8Array(sizes.lineRequest);
  const fields = view(bytes);
  fields.setUint32(0, offset, true);
  bytes.set(new TextEncoder().encode(consumer).subarray(0, nameBytes - 1), request.consumer);
  bytes.set(encodeLineConfig(settings, "none"), request.config);
  fields.setUint32(request.lineCount, 1, true);
  return bytes;
}

/** The descriptor that the kernel wrote into an answered line request. */
export function decodeLineFile(bytes: Uint8Array): number {
  return view(bytes).getInt32(request.file, true);
}

/** struct gpio_v2_line_values for the only line of a request */
export function encodeValues(active: boolean): Uint8Array {
  const bytes = new Uint8Array(sizes.values);
  bytes[0] = active ? 1 : 0;
  bytes[8] = 1;
  return bytes;
}

export function decodeValues(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & 1) === 1;
}

export interface LineEvent {
  readonly rising: boolean;
  readonly timestampNs: bigint;
  /** Counts the events of the line from 1, also those that the kernel had no room for. */
  readonly lineSequence: number;
}

/** struct gpio_v2_line_event, as many as were read */
export function decodeEvents(bytes: Uint8Array): LineEvent[] {
  const fields = view(bytes);
  return Array.from({ length: Math.floor(bytes.length / sizes.event) }, (_, index) => {
    const start = index * sizes.event;
    return {
      timestampNs: fields.getBigUint64(start, true),
      rising: fields.getUint32(start + 8, true) === risingEvent,
      lineSequence: fields.getUint32(start + 20, true),
    };
  });
}

function lineFlags(settings: GpioSettings, edges: Edges): number {
  let bits = settings.direction === "in" ? flags.input : flags.output;
  if (settings.activeLow) bits |= flags.activeLow;
  if (settings.bias === "pull-up") bits |= flags.pullUp;
  if (settings.bias === "pull-down") bits |= flags.pullDown;
  // An input without bias has it switched off, whatever ran before; an output keeps what the hardware has.
  if (settings.bias === "none" && settings.direction === "in") bits |= flags.noBias;
  if (edges === "rising" || edges === "both") bits |= flags.risingEdge;
  if (edges === "falling" || edges === "both") bits |= flags.fallingEdge;
  return bits;
}

function decodeName(bytes: Uint8Array, start: number): string {
  const field = bytes.subarray(start, start + nameBytes);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end));
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
