// What components say: kept as the last lines of each, published only while an operator listens.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { LogDocument } from "../protocol/reports.ts";
import type { IncarnationListener } from "../runtime/incarnation.ts";

export type ComponentVoice = IncarnationListener;

export interface Voices {
  of(component: string): ComponentVoice;
  /** The last lines of a component, oldest first. */
  tail(component: string): readonly LogDocument[];
  /** Publishes the component's lines for a while. */
  listen(component: string, forMs: number): void;
  /** What was dropped, by "what" and component. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface VoiceOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: (component: string, document: LogDocument) => void;
}

export function createVoices({ clock, log, publish }: VoiceOptions): Voices {
  const tails = new Map<string, LogDocument[]>();
  const listenUntilMs = new Map<string, number>();
  const dropped: Record<string, number> = {};

  const say = (component: string, level: string, line: string): void => {
    const document = { at: new Date(clock.nowMs()).toISOString(), level, line };
    const tail = tails.get(component) ?? [];
    tails.set(component, tail);
    tail.push(document);
    if (tail.length > limits.logs.tailLines) tail.shift();
    log.debug({ component, level }, line);
    if ((listenUntilMs.get(component) ?? 0) > clock.monotonicMs()) publish(component, document);
  };
  return {
    of: (component) => ({
      log: (level, line) => say(component, level, line),
      dropped: (what, count) => {
        const key = `${what}s.${component}`;
        dropped[key] = (dropped[key] ?? 0) + count;
      },
      problem: (text) => say(component, "warn", text),
    }),
    tail: (component) => tails.get(component) ?? [],
    listen: (component, forMs) => void listenUntilMs.set(component, clock.monotonicMs() + forMs),
    dropped,
  };
}
