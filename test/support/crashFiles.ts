// A model of what POSIX promises about files after a power cut: nothing that was not synced, in every mixture.

/** A directory's entries, or a file's bytes. */
export type Node = FileNode | DirectoryNode;

export interface FileNode {
  readonly kind: "file";
  readonly durable: Uint8Array;
  /** Since the last fsync, in order. */
  readonly writes: readonly { readonly position: number; readonly bytes: Uint8Array }[];
}

export interface DirectoryNode {
  readonly kind: "directory";
  readonly durable: ReadonlyMap<string, number>;
  /** Entries made, renamed or removed since the last fsync, in order: each is what the names were after it. */
  readonly changes: readonly ReadonlyMap<string, number>[];
}

/** Nodes by number; 0 is the root directory. Never changed in place, so that an earlier one can be kept. */
export type Nodes = ReadonlyMap<number, Node>;

/** A tree as the next boot finds it: files by path, directories with undefined. */
export type Tree = ReadonlyMap<string, Uint8Array | undefined>;

export const emptyNodes: Nodes = new Map([[0, { kind: "directory", durable: new Map(), changes: [] }]]);

export function entriesOf(node: DirectoryNode): ReadonlyMap<string, number> {
  return node.changes.at(-1) ?? node.durable;
}

export function bytesOf({ durable, writes }: FileNode): Uint8Array {
  return writes.reduce((bytes, { position, bytes: written }) => overwrite(bytes, position, written), durable);
}

/**
 * Every state that a power cut may leave. Of each directory any prefix of its unsynced changes is there (a journal keeps
 * their order), whatever became of the bytes of the files they name. Of each unsynced write nothing, its first half, all,
 * or its length with zeroes for bytes is there, whatever became of the others. The first of them has
 * nothing that was not synced.
 */
export function* survivors(nodes: Nodes, most = Number.MAX_SAFE_INTEGER): Generator<Tree> {
  const unsynced = [...nodes].filter(([, node]) => (node.kind === "file" ? node.writes : node.changes).length > 0);
  const choices = unsynced.map(([number, node]) =>
    alternatives(node).map((alternative) => [number, alternative] as const),
  );
  let left = most;
  for (const chosen of combinations(choices)) {
    if (left-- === 0) return;
    const survived = new Map<number, Node>(nodes);
    for (const [number, node] of chosen) survived.set(number, node);
    yield treeOf(survived);
  }
}

/** What is there for whoever reads now, synced or not. */
export function treeOf(nodes: Nodes): Tree {
  const tree = new Map<string, Uint8Array | undefined>();
  const visit = (directory: Node | undefined, path: string): void => {
    if (directory?.kind !== "directory") throw new Error(`${path} is no directory`);
    for (const [name, number] of [...entriesOf(directory)].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const node = nodes.get(number);
      tree.set(`${path}/${name}`, node?.kind === "file" ? bytesOf(node) : undefined);
      if (node?.kind === "directory") visit(node, `${path}/${name}`);
    }
  };
  visit(nodes.get(0), "");
  return tree;
}

function alternatives(node: Node): readonly Node[] {
  if (node.kind === "directory")
    return [node.durable, ...node.changes].map((durable) => ({ kind: "directory", durable, changes: [] }));
  let kept: readonly Uint8Array[] = [node.durable];
  for (const { position, bytes } of node.writes)
    kept = kept.flatMap((before) => [before, ...partsOf(bytes).map((part) => overwrite(before, position, part))]);
  return kept.map((durable) => ({ kind: "file", durable, writes: [] }));
}

/** A first half only, the length alone, and the whole. */
function partsOf(bytes: Uint8Array): readonly Uint8Array[] {
  return [bytes.subarray(0, bytes.length >> 1), new Uint8Array(bytes.length), bytes];
}

function overwrite(before: Uint8Array, position: number, bytes: Uint8Array): Uint8Array {
  const after = new Uint8Array(Math.max(before.length, position + bytes.length));
  after.set(before);
  after.set(bytes, position);
  return after;
}

function* combinations<T>(choices: readonly (readonly T[])[]): Generator<readonly T[]> {
  const [first, ...rest] = choices;
  if (first === undefined) return yield [];
  for (const tail of combinations(rest)) for (const choice of first) yield [choice, ...tail];
}
