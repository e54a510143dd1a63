// The few calls of the operating system that the disk is made of, so that a model of a disk can stand in for them.

/** One open file or directory. */
export interface FileDescriptor extends AsyncDisposable {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  /** fsync: of a file its bytes and size, of a directory its entries. Neither does the other's. */
  sync(): Promise<void>;
  datasync(): Promise<void>;
  stat(): Promise<{ readonly size: number }>;
  close(): Promise<void>;
}

/** `node:fs/promises` has all of them; they reject with its errors (`code` "ENOENT" for what is not there). */
export interface FileCalls {
  open(path: string, flags: "r" | "r+" | "wx", mode?: number): Promise<FileDescriptor>;
  readFile(path: string): Promise<Uint8Array>;
  readdir(path: string): Promise<string[]>;
  readdir(path: string, options: { readonly recursive: true; readonly withFileTypes: true }): Promise<FileEntry[]>;
  /** Resolves to the first directory that it made. */
  mkdir(path: string, options: { readonly recursive: true; readonly mode: number }): Promise<string | undefined>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  statfs(path: string): Promise<{ readonly bavail: number; readonly bsize: number }>;
}

export interface FileEntry {
  readonly name: string;
  readonly parentPath: string;
  isFile(): boolean;
  isDirectory(): boolean;
}
