// Hears everything a component says and drops, and lets a test wait for what it expects instead of sleeping.
import type { IncarnationListener } from "../../src/runtime/incarnation.ts";

export interface Witness extends IncarnationListener {
  /** Lines of stdout and stderr, in order. */
  readonly lines: readonly string[];
  readonly problems: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** Resolves when the condition holds; it is looked at whenever something is heard or noticed. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves when a line has these words. */
  said(words: string): Promise<void>;
  /** Says that something else may have changed. */
  notice(): void;
}

export function createWitness(): Witness {
  const lines: string[] = [];
  const problems: string[] = [];
  const counts: Record<string, number> = {};
  const waiting = new Set<{ readonly condition: () => boolean; readonly resolve: () => void }>();
  const notice = (): void => {
    for (const entry of waiting) {
      if (!entry.condition()) continue;
      waiting.delete(entry);
      entry.resolve();
    }
  };
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      waiting.add({ condition, resolve });
      notice();
    });
  return {
    lines,
    problems,
    counts,
    log: (_level, line) => {
      lines.push(line);
      notice();
    },
    dropped: (what, count) => {
      counts[what] = (counts[what] ?? 0) + count;
      notice();
    },
    problem: (text) => {
      problems.push(text);
      notice();
    },
    until,
    said: (words) => until(() => lines.some((line) => line.includes(words))),
    notice,
  };
}
