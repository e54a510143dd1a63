// Who watches a GPIO line for which edges, and the count that shows each of them when edges were lost.
import type { Edge } from "./gpio.ts";

export type WatchedEdges = "rising" | "falling" | "both";

export interface Watchers {
  /** What all watchers together need; "none" when nobody watches. */
  readonly wanted: WatchedEdges | "none";
  add(edges: WatchedEdges, onEdge: (edge: Edge) => void): symbol;
  /** False when it was not there (any more). */
  remove(watcher: symbol): boolean;
  clear(): void;
  /** Tells those who asked for it; `lost` edges before it are counted and skipped. */
  deliver(rising: boolean, timestampNs: bigint, lost: number): void;
}

export function createWatchers(): Watchers {
  const watchers = new Map<
    symbol,
    { readonly edges: WatchedEdges; readonly onEdge: (edge: Edge) => void; count: number }
  >();

  return {
    get wanted() {
      const kinds = new Set([...watchers.values()].map((watcher) => watcher.edges));
      const [only] = kinds;
      return only === undefined ? "none" : kinds.size === 1 ? only : "both";
    },
    add: (edges, onEdge) => {
      const watcher = Symbol(edges);
      watchers.set(watcher, { edges, onEdge, count: 0 });
      return watcher;
    },
    remove: (watcher) => watchers.delete(watcher),
    clear: () => watchers.clear(),
    deliver: (rising, timestampNs, lost) => {
      for (const watcher of watchers.values()) {
        watcher.count += lost;
        if (watcher.edges !== "both" && rising !== (watcher.edges === "rising")) continue;
        watcher.count += 1;
        watcher.onEdge({ rising, timestampNs, sequence: watcher.count });
      }
    },
  };
}
