// The small port through which everything durable is written, so that tests can fail or cut any single operation.

/** A file kept open for positioned reads and writes; its length is fixed when it is made. */
export interface DiskFile extends AsyncDisposable {
  readonly sizeBytes: number;
  /** Reads up to `length` bytes at `position`; shorter at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  write(position: number, bytes: Uint8Array): Promise<void>;
  /** Resolves when every write that resolved before is on the medium (fdatasync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A file that is being made: nobody sees it under its path before it is published, and it is gone when it never is. */
export interface StagedFile extends AsyncDisposable {
  /** Where it will be. */
  readonly path: string;
  /** Writes after what was written; one call at a time. */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Puts it in its place, over what is there: fsync, rename, fsync of the directory. After it resolves a power cut cannot
   * undo it. At most once. Dispose without it removes what was written.
   */
  publish(): Promise<void>;
}

export interface Disk {
  /** The file's bytes, or undefined when there is none. Rejects on any other failure. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /** Replaces a file whole: temporary, fsync, rename, fsync of the directory. After it resolves a power cut cannot undo it. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** The same for a file that does not fit the memory: filled piece by piece, then published whole. */
  stageFile(path: string): Promise<StagedFile>;
  /** Removes a file; no error when there is none. */
  remove(path: string): Promise<void>;
  /** Names in a directory, sorted; empty when there is none. */
  list(directory: string): Promise<readonly string[]>;
  /** Makes a directory and its parents, durably. */
  makeDirectory(path: string): Promise<void>;
  /** Opens a file for positioned access; made and preallocated to `sizeBytes` when there is none. */
  openFile(path: string, sizeBytes: number): Promise<DiskFile>;
  /** Bytes that may still be written where this directory is. */
  freeBytes(directory: string): Promise<number>;
}
