// The five system calls that the GPIO driver needs, through koffi; everything above them runs on a fake kernel too.
import koffi from "koffi";

/** As in C, but a failure is the negative error number: -2 is ENOENT. */
export interface GpioKernel {
  open(path: string): number;
  /** Reads from and writes into `argument`. */
  ioctl(file: number, request: number, argument: Uint8Array): number;
  read(file: number, into: Uint8Array): number;
  /** Waits for input on any of the files and resolves with those that have some, or are broken. */
  poll(files: readonly number[], timeoutMs: number): Promise<readonly number[]>;
  close(file: number): number;
}

const readWrite = 2;
const closeOnExec = 0o2000000;
const pollInput = 1;
const pollEntryBytes = 8;

export function openSystemKernel(): GpioKernel {
  const libc = koffi.load(null);
  const open = libc.func("int open(const char *path, int flags)");
  const ioctl = libc.func("int ioctl(int file, unsigned long request, void *argument)");
  const read = libc.func("long read(int file, void *into, size_t count)");
  const poll = libc.func("int poll(void *files, unsigned long count, int timeoutMs)");
  const close = libc.func("int close(int file)");
  const orErrno = (result: unknown): number => (Number(result) < 0 ? -koffi.errno() : Number(result));

  return {
    open: (path) => orErrno(open(path, readWrite | closeOnExec)),
    ioctl: (file, request, argument) => orErrno(ioctl(file, request, argument)),
    read: (file, into) => orErrno(read(file, into, into.length)),
    close: (file) => orErrno(close(file)),
    poll: (files, timeoutMs) => {
      const entries = encodePoll(files);
      return new Promise((resolve, reject) => {
        poll.async(entries, files.length, timeoutMs, (error: Error | null) => {
          // An interrupted poll leaves the entries as they were: nothing is ready.
          if (error) reject(error);
          else resolve(readyFiles(files, entries));
        });
      });
    },
  };
}

function encodePoll(files: readonly number[]): Uint8Array {
  const entries = new Uint8Array(files.length * pollEntryBytes);
  const fields = new DataView(entries.buffer);
  files.forEach((file, index) => {
    fields.setInt32(index * pollEntryBytes, file, true);
    fields.setInt16(index * pollEntryBytes + 4, pollInput, true);
  });
  return entries;
}

function readyFiles(files: readonly number[], entries: Uint8Array): number[] {
  const fields = new DataView(entries.buffer);
  return files.filter((_, index) => fields.getInt16(index * pollEntryBytes + 6, true) !== 0);
}
