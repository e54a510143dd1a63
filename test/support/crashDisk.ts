// File calls over the model: what the real disk's algorithm runs on when every power cut is to be enumerated.
import type { FileCalls, FileDescriptor, FileEntry } from "../../src/store/fileCalls.ts";
import {
  bytesOf,
  type DirectoryNode,
  emptyNodes,
  entriesOf,
  type FileNode,
  type Nodes,
  type Tree,
} from "./crashFiles.ts";

export interface CrashDisk extends FileCalls {
  /** What there is now, and what of it is synced. */
  readonly nodes: Nodes;
  /** Calls so far that changed or synced something. */
  readonly steps: readonly string[];
}

export interface CrashDiskOptions {
  readonly nodes?: Nodes;
  /** Asked before every call that changes or syncs something; when it throws, the call was not made. */
  readonly before?: (step: string, nodes: Nodes) => void;
}

/** The nodes of a machine that has just started: all there is, is on the medium. */
export function nodesOf(tree: Tree): Nodes {
  const numbers = new Map([["", 0]]);
  for (const path of tree.keys()) numbers.set(path, numbers.size);
  const entries = new Map<string, Map<string, number>>([["", new Map()]]);
  for (const [path, bytes] of tree) {
    entries
      .get(path.slice(0, path.lastIndexOf("/")))
      ?.set(path.slice(path.lastIndexOf("/") + 1), numbers.get(path) ?? 0);
    if (bytes === undefined) entries.set(path, new Map());
  }
  const nodes = new Map<number, FileNode | DirectoryNode>();
  for (const [path, number] of numbers) {
    const bytes = tree.get(path);
    if (bytes !== undefined) nodes.set(number, { kind: "file", durable: bytes, writes: [] });
    else nodes.set(number, { kind: "directory", durable: entries.get(path) ?? new Map(), changes: [] });
  }
  return nodes;
}

export function createCrashDisk({ nodes: initial = emptyNodes, before = () => {} }: CrashDiskOptions = {}): CrashDisk {
  let nodes = new Map(initial);
  const steps: string[] = [];
  const step = (name: string, effect: () => void): void => {
    before(name, nodes);
    steps.push(name);
    nodes = new Map(nodes);
    effect();
  };
  const numberAt = (path: string): number => {
    let number = 0;
    for (const name of path.split("/").filter((part) => part !== ""))
      number = entriesOf(directoryNode(number, path)).get(name) ?? missing(path);
    return number;
  };
  const directoryNode = (number: number, path: string): DirectoryNode => {
    const node = nodes.get(number);
    return node?.kind === "directory" ? node : missing(path);
  };
  const change = (directory: string, edit: (entries: Map<string, number>) => void): void => {
    const number = numberAt(directory);
    const node = directoryNode(number, directory);
    const entries = new Map(entriesOf(node));
    edit(entries);
    nodes.set(number, { ...node, changes: [...node.changes, entries] });
  };
  const make = (path: string, node: FileNode | DirectoryNode): number => {
    const number = nodes.size;
    const [directory, name] = split(path);
    nodes.set(number, node);
    change(directory, (entries) => void entries.set(name, number));
    return number;
  };
  const sync = (number: number): void => {
    const node = nodes.get(number);
    if (node?.kind === "file") nodes.set(number, { ...node, durable: bytesOf(node), writes: [] });
    if (node?.kind === "directory") nodes.set(number, { ...node, durable: entriesOf(node), changes: [] });
  };
  const fileNode = (number: number): FileNode => {
    const node = nodes.get(number);
    return node?.kind === "file" ? node : missing(`file ${number}`);
  };
  const descriptor = (number: number, path: string): FileDescriptor => {
    const write = (bytes: Uint8Array, position: number): void =>
      step(`write ${path}`, () => {
        const node = fileNode(number);
        nodes.set(number, { ...node, writes: [...node.writes, { position, bytes: bytes.slice() }] });
      });
    let end = 0;
    const synced = async (): Promise<void> => step(`fsync ${path}`, () => sync(number));
    return {
      read: async (buffer, offset, length, position) => {
        const bytes = bytesOf(fileNode(number)).subarray(position, position + length);
        buffer.set(bytes, offset);
        return { bytesRead: bytes.length };
      },
      write: async (bytes, offset, length, position) => {
        write(bytes.subarray(offset, offset + length), position);
        return { bytesWritten: length };
      },
      writeFile: async (bytes) => {
        write(bytes, end);
        end += bytes.length;
      },
      sync: synced,
      datasync: synced,
      stat: async () => ({ size: bytesOf(fileNode(number)).length }),
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  };
  const list = (directory: string): readonly string[] => [
    ...entriesOf(directoryNode(numberAt(directory), directory)).keys(),
  ];
  const walk = (directory: string): FileEntry[] =>
    list(directory).flatMap((name) => {
      const path = `${directory}/${name}`;
      const isFile = nodes.get(numberAt(path))?.kind === "file";
      return [
        { name, parentPath: directory, isFile: () => isFile, isDirectory: () => !isFile },
        ...(isFile ? [] : walk(path)),
      ];
    });
  const exists = (path: string): boolean => {
    const [directory, name] = split(path);
    return name === "" || (exists(directory) && entriesOf(directoryNode(numberAt(directory), path)).has(name));
  };
  function readdir(path: string): Promise<string[]>;
  function readdir(path: string, options: object): Promise<FileEntry[]>;
  async function readdir(path: string, options?: object): Promise<string[] | FileEntry[]> {
    return options === undefined ? [...list(path)] : walk(path);
  }
  return {
    get nodes() {
      return nodes;
    },
    steps,
    readdir,
    open: async (path, flags) => {
      if (flags !== "wx") return descriptor(numberAt(path), path);
      if (exists(path)) throw Object.assign(new Error(`EEXIST: ${path}`), { code: "EEXIST" });
      let number = 0;
      step(`create ${path}`, () => (number = make(path, { kind: "file", durable: new Uint8Array(), writes: [] })));
      return descriptor(number, path);
    },
    readFile: async (path) => bytesOf(fileNode(numberAt(path))).slice(),
    mkdir: async (path) => {
      let first: string | undefined;
      const parts = path.split("/").slice(1);
      for (const made of parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`)) {
        if (exists(made)) continue;
        first ??= made;
        step(`mkdir ${made}`, () => make(made, { kind: "directory", durable: new Map(), changes: [] }));
      }
      return first;
    },
    rename: async (from, to) => {
      const [directory, name] = split(to);
      const [source, oldName] = split(from);
      if (directory !== source) throw new Error("the model knows renames within one directory");
      const number = numberAt(from);
      step(`rename ${to}`, () =>
        change(directory, (entries) => void (entries.delete(oldName), entries.set(name, number))),
      );
    },
    unlink: async (path) => {
      const [directory, name] = split(path);
      numberAt(path);
      step(`unlink ${path}`, () => change(directory, (entries) => void entries.delete(name)));
    },
  };
}

function split(path: string): readonly [directory: string, name: string] {
  const at = path.lastIndexOf("/");
  return [path.slice(0, at), path.slice(at + 1)];
}

function missing(path: string): never {
  throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
}
