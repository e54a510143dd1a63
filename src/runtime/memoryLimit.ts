// Rewrites the memory maximum of a core WebAssembly module, because a worker's own limits do not bound wasm memory.

const pageBytes = 65536;
/** Beyond this a number is no longer exact; nothing in a module is that large. */
const longest = 2 ** 49;
const memorySection = 5;
const headerBytes = 8;
/** Has a maximum (1), is shared (2), is addressed by 64 bits (4). */
const knownFlags = 7;
const unknownFlags = 255;

/**
 * Returns the module with every memory it defines capped at `maxBytes`; the bytes themselves when it defines none.
 * A memory that already has a lower maximum keeps it. Throws RangeError when a memory starts larger than the cap
 * (such a module could not be instantiated) and when the bytes end too early or say what this file does not know.
 */
export function limitMemory(module: Uint8Array, maxBytes: number): Uint8Array {
  const section = findSection(module, memorySection);
  if (section === undefined) return module;
  const body = encodeMemories(readMemories(module, section.bodyStart), Math.floor(maxBytes / pageBytes));
  return concat([
    module.subarray(0, section.start),
    Uint8Array.of(memorySection),
    encodeUnsigned(body.length),
    body,
    module.subarray(section.end),
  ]);
}

/** How many memories one instance of the module has of its own. */
export function countMemories(module: Uint8Array): number {
  const section = findSection(module, memorySection);
  return section === undefined ? 0 : readMemories(module, section.bodyStart).length;
}

interface Section {
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

interface Memory {
  readonly flags: number;
  readonly minimum: number;
  readonly maximum: number | undefined;
}

function findSection(module: Uint8Array, wanted: number): Section | undefined {
  let position = headerBytes;
  while (position < module.length) {
    const start = position;
    const id = module[position];
    const [size, bodyStart] = readUnsigned(module, position + 1);
    position = bodyStart + size;
    if (id === wanted) return { start, bodyStart, end: position };
  }
  return undefined;
}

function readMemories(module: Uint8Array, bodyStart: number): readonly Memory[] {
  const [count, first] = readUnsigned(module, bodyStart);
  const memories: Memory[] = [];
  let position = first;
  for (let index = 0; index < count; index++) {
    const flags = module[position] ?? unknownFlags;
    if (flags > knownFlags) throw new RangeError(`memory ${index} has flags ${flags}, which are not known here`);
    const [minimum, afterMinimum] = readUnsigned(module, position + 1);
    const [maximum, afterMaximum] = flags & 1 ? readUnsigned(module, afterMinimum) : [undefined, afterMinimum];
    memories.push({ flags, minimum, maximum });
    position = afterMaximum;
  }
  return memories;
}

function encodeMemories(memories: readonly Memory[], maxPages: number): Uint8Array {
  const encoded = memories.map(({ flags, minimum, maximum }) => {
    if (minimum > maxPages)
      throw new RangeError(
        `memory starts with ${minimum * pageBytes} bytes, over its limit of ${maxPages * pageBytes}`,
      );
    const cap = Math.min(maximum ?? maxPages, maxPages);
    return concat([Uint8Array.of(flags | 1), encodeUnsigned(minimum), encodeUnsigned(cap)]);
  });
  return concat([encodeUnsigned(memories.length), ...encoded]);
}

function readUnsigned(bytes: Uint8Array, start: number): readonly [value: number, next: number] {
  let value = 0;
  let scale = 1;
  let position = start;
  for (;;) {
    const byte = bytes[position++];
    if (byte === undefined || scale > longest) throw new RangeError("the module ends within a number");
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) return [value, position];
  }
}

function encodeUnsigned(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
