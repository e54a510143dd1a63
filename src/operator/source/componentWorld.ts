// The interfaces a component imports and exports, read from its binary: enough to tell a gateway before it fetches anything.

/** Both sorted; plain functions and types of the world itself are left out, since no agent offers or calls those. */
export interface ComponentWorld {
  readonly imports: readonly string[];
  readonly exports: readonly string[];
}

const sections = { import: 10, export: 11 } as const;

/** Undefined when the binary cannot be followed: admission on the gateway judges the bytes themselves in any case. */
export function readComponentWorld(bytes: Uint8Array): ComponentWorld | undefined {
  try {
    return readSections(new Reader(bytes, 8));
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

function readSections(reader: Reader): ComponentWorld {
  const imports: string[] = [];
  const exports: string[] = [];
  while (!reader.isAtEnd) {
    const id = reader.byte();
    const section = reader.slice(reader.leb());
    if (id === sections.import) readVector(section, () => imports.push(...readImport(section)));
    if (id === sections.export) readVector(section, () => exports.push(...readExport(section)));
  }
  return { imports: imports.filter(isInterface).sort(), exports: exports.filter(isInterface).sort() };
}

function readVector(reader: Reader, readItem: () => void): void {
  const count = reader.leb();
  for (let item = 0; item < count; item += 1) readItem();
}

/** Component model, Binary.md: `import ::= in:<importname'> ed:<externdesc>`. */
function readImport(reader: Reader): readonly string[] {
  const name = readName(reader);
  skipDescription(reader);
  return [name];
}

/** `export ::= en:<exportname'> si:<sortidx> ed?:<externdesc>?`. */
function readExport(reader: Reader): readonly string[] {
  const name = readName(reader);
  const sort = reader.byte();
  if (sort === 0x00) reader.byte();
  reader.leb();
  if (reader.byte() === 0x01) skipDescription(reader);
  return [name];
}

/** A discriminator byte, the name, and with 0x01 in newer toolchains nothing more. */
function readName(reader: Reader): string {
  const kind = reader.byte();
  if (kind > 0x01) throw new RangeError(`names of kind ${kind} are not known`);
  return reader.text(reader.leb());
}

function skipDescription(reader: Reader): void {
  const kind = reader.byte();
  // 0x00 0x11: core module; 0x01 function, 0x04 component, 0x05 instance: a type index.
  if (kind === 0x00) reader.byte();
  // 0x02 value: equal to an index, or of a type; 0x03 type: equal to an index, or a new resource.
  const bound = kind === 0x02 || kind === 0x03 ? reader.byte() : 0x00;
  if (kind > 0x05 || bound > 0x01) throw new RangeError(`a description of kind ${kind} is not known`);
  if (kind === 0x03 && bound === 0x01) return;
  reader.leb();
}

function isInterface(name: string): boolean {
  return /^[a-z][\w-]*:[\w-]+\/[\w-]+(@\S+)?$/.test(name);
}

class Reader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new RangeError("the binary ends too soon");
    this.#at += 1;
    return value;
  }

  /** Unsigned LEB128 of 32 bits. */
  leb(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number is longer than 32 bits");
  }

  slice(length: number): Reader {
    return new Reader(this.#take(length));
  }

  text(length: number): string {
    return new TextDecoder().decode(this.#take(length));
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("the binary ends too soon");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
