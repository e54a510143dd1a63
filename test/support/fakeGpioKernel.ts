// A kernel with GPIO chips in memory: decodes the structures of linux/gpio.h by its own reading of them.
import type { GpioKernel } from "../../devices/gpio/linux/kernel.ts";

interface Chip {
  readonly label: string;
  readonly lines: FakeLine[];
}

export class FakeLine {
  readonly name: string;
  level = false;
  consumer = "";
  flags = 0n;
  debounceUs = 0;
  /** Levels written by an output, as the wire sees them. */
  readonly written: boolean[] = [];
  sequence = 0;
  readonly queue: Uint8Array[] = [];

  constructor(name: string) {
    this.name = name;
  }

  has(flag: number): boolean {
    return (this.flags & (1n << BigInt(flag))) !== 0n;
  }
}

const errors = { ENOENT: -2, EIO: -5, EBADF: -9, EBUSY: -16, ENODEV: -19, EINVAL: -22 };
const kernelQueue = 16;

export class FakeGpioKernel implements GpioKernel {
  readonly chips = new Map<string, Chip>();
  readonly opened = new Map<number, Chip | FakeLine>();
  /** Failures to answer instead of doing the work, by path or by request number. */
  readonly failures = new Map<string | number, number>();
  gone = false;
  polls = 0;
  #polling = false;
  readonly #nowNs: () => bigint;

  constructor(nowNs: () => bigint) {
    this.#nowNs = nowNs;
  }

  addChip(path: string, label: string, names: readonly string[]): FakeLine[] {
    const lines = names.map((name) => new FakeLine(name));
    this.chips.set(path, { label, lines });
    return lines;
  }

  /** A level on the wire of an input; an edge is queued when the line asked for it. */
  drive(line: FakeLine, wire: boolean): void {
    if (line.level === wire) return;
    line.level = wire;
    const rising = wire !== line.has(1);
    if (!line.has(rising ? 4 : 5)) return;
    line.sequence += 1;
    const event = new DataView(new ArrayBuffer(48));
    event.setBigUint64(0, this.#nowNs(), true);
    event.setUint32(8, rising ? 1 : 2, true);
    event.setUint32(16, line.sequence, true);
    event.setUint32(20, line.sequence, true);
    if (line.queue.length === kernelQueue) line.queue.shift();
    line.queue.push(new Uint8Array(event.buffer));
  }

  open(path: string): number {
    const failure = this.failures.get(path);
    const chip = this.chips.get(path);
    if (failure !== undefined) return failure;
    return chip === undefined ? errors.ENOENT : this.#file(chip);
  }

  ioctl(file: number, request: number, argument: Uint8Array): number {
    const target = this.opened.get(file);
    const failure = this.failures.get(request);
    if (target === undefined) return errors.EBADF;
    if (this.gone) return errors.ENODEV;
    if (failure !== undefined) return failure;
    if (argument.length !== ((request >>> 16) & 0x3fff)) return errors.EINVAL;
    const fields = new DataView(argument.buffer, argument.byteOffset, argument.byteLength);
    return target instanceof FakeLine
      ? this.#lineIoctl(target, request, fields)
      : this.#chipIoctl(target, request, fields);
  }

  read(file: number, into: Uint8Array): number {
    const line = this.opened.get(file);
    if (!(line instanceof FakeLine)) return errors.EBADF;
    if (this.gone) return errors.ENODEV;
    const events = line.queue.splice(0, Math.floor(into.length / 48));
    if (events.length === 0) throw new Error("a real kernel would block here");
    events.forEach((event, index) => into.set(event, index * 48));
    return events.length * 48;
  }

  async poll(files: readonly number[]): Promise<readonly number[]> {
    this.polls += 1;
    if (this.#polling) throw new Error("two polls at once");
    this.#polling = true;
    try {
      return await this.#wait(files);
    } finally {
      this.#polling = false;
    }
  }

  async #wait(files: readonly number[]): Promise<readonly number[]> {
    for (let waits = 0; waits < 5; waits += 1) {
      for (const file of files) if (!this.opened.has(file)) throw new Error(`file ${file} was closed while polled`);
      const ready = files.filter((file) => {
        const line = this.opened.get(file);
        return this.gone || (line instanceof FakeLine && line.queue.length > 0);
      });
      if (ready.length > 0) return ready;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return [];
  }

  close(file: number): number {
    const target = this.opened.get(file);
    if (target instanceof FakeLine) {
      target.consumer = "";
      target.flags = 0n;
      target.queue.length = 0;
    }
    return this.opened.delete(file) ? 0 : errors.EBADF;
  }

  #file(target: Chip | FakeLine): number {
    // As a real kernel: the lowest number that is free, so a closed one comes back at once.
    let file = 10;
    while (this.opened.has(file)) file += 1;
    this.opened.set(file, target);
    return file;
  }

  #chipIoctl(chip: Chip, request: number, fields: DataView): number {
    const bytes = new Uint8Array(fields.buffer, fields.byteOffset, fields.byteLength);
    if (request === 0x8044b401) {
      bytes.set(Buffer.from(chip.label), 32);
      fields.setUint32(64, chip.lines.length, true);
      return 0;
    }
    const line = chip.lines[fields.getUint32(request === 0xc100b405 ? 64 : 0, true)];
    if (line === undefined) return errors.EINVAL;
    if (request === 0xc100b405) {
      bytes.set(Buffer.from(line.name), 0);
      return 0;
    }
    if (request !== 0xc250b407 || fields.getUint32(560, true) !== 1) return errors.EINVAL;
    if (line.consumer !== "") return errors.EBUSY;
    line.consumer = Buffer.from(bytes.subarray(256, 288)).toString().replaceAll("\0", "");
    this.#configure(line, new DataView(fields.buffer, fields.byteOffset + 288, 272));
    if (line.has(3)) {
      line.level = line.has(1);
      line.written.push(line.level);
    }
    fields.setInt32(588, this.#file(line), true);
    return 0;
  }

  #lineIoctl(line: FakeLine, request: number, fields: DataView): number {
    if (request === 0xc110b40d) return this.#configure(line, fields);
    if (fields.getBigUint64(8, true) !== 1n) return errors.EINVAL;
    if (request === 0xc010b40e) {
      fields.setBigUint64(0, line.level === line.has(1) ? 0n : 1n, true);
      return 0;
    }
    if (request !== 0xc010b40f || !line.has(3)) return errors.EINVAL;
    line.level = (fields.getBigUint64(0, true) === 1n) !== line.has(1);
    line.written.push(line.level);
    return 0;
  }

  #configure(line: FakeLine, config: DataView): number {
    line.flags = config.getBigUint64(0, true);
    line.debounceUs = 0;
    if (config.getUint32(8, true) === 1 && config.getUint32(32, true) === 3)
      line.debounceUs = config.getUint32(40, true);
    return 0;
  }
}
