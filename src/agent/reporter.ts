// Tells the operator where the gateway stands: the retained `reported` document and events, in order, latest wins.
import { limits } from "../base/limits.ts";
import type { Clock } from "../base/clock.ts";
import { OutstationError } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { shorten } from "../base/words.ts";
import type { EventDocument, ReportedDocument } from "../protocol/reports.ts";

export type ReportedPart = Pick<ReportedDocument, "deployment" | "desired" | "phase"> &
  Partial<Pick<ReportedDocument, "refusal" | "reason" | "progress">>;

export type NewEvent = Omit<EventDocument, "at" | "bootId">;

interface WaitingEvent {
  readonly event: EventDocument;
  readonly onTold?: () => Promise<unknown>;
}

export interface Reporter {
  /** Replaces what is reported; publishes when the broker is reached. */
  report(part: ReportedPart): void;
  /** How far a download is; published at most every `limits.reported.progressMs`, and only while fetching. */
  progress(receivedBytes: number, totalBytes: number): void;
  /** Publishes the current document again, for a component's changed status. */
  refresh(): void;
  event(event: NewEvent): void;
  /** The event as `tell` takes it; nothing is published. */
  stamp(event: NewEvent): EventDocument;
  /** Publishes exactly this event, from this run or an earlier one; `onTold` is called once the broker has it. */
  tell(event: EventDocument, onTold: () => Promise<unknown>): void;
  /** Publishes what is due; resolves at the broker's acknowledgement, rejects when it is not reached. */
  flush(): Promise<void>;
  /** Publishes the current document after now, even when nothing is due: whoever waits for it has reached the broker. */
  prove(): Promise<void>;
  readonly current: ReportedPart;
  /** Events that gave way to newer ones, or that the broker cannot take. */
  readonly dropped: number;
}

export interface ReporterOptions {
  readonly gateway: string;
  readonly bootId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly describe: () => ReportedDocument["components"];
  /** Told of every change, reached or not. */
  readonly keep: (document: ReportedDocument) => void;
  readonly publishReported: (document: ReportedDocument) => Promise<void>;
  readonly publishEvent: (event: EventDocument) => Promise<void>;
}

export function createReporter(options: ReporterOptions): Reporter {
  return new LatestWins(options);
}

class LatestWins implements Reporter {
  readonly #options: ReporterOptions;
  readonly #events: WaitingEvent[] = [];
  #current: ReportedPart = { deployment: 0, desired: 0, phase: "idle" };
  #dropped = 0;
  /** When the phase began, or its progress was last told. */
  #toldAtMs = 0;
  #isDue = false;
  #flushing: Promise<void> | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  get current(): ReportedPart {
    return this.#current;
  }

  get dropped(): number {
    return this.#dropped;
  }

  report(part: ReportedPart): void {
    const { reason } = part;
    // A download that is over by then has nothing to tell.
    if (part.phase !== this.#current.phase) this.#toldAtMs = this.#options.clock.monotonicMs();
    this.#current = reason === undefined ? part : { ...part, reason: shorten(reason, limits.words.event) };
    this.refresh();
  }

  progress(receivedBytes: number, totalBytes: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#current.phase !== "fetching" || nowMs - this.#toldAtMs < limits.reported.progressMs) return;
    this.#toldAtMs = nowMs;
    this.report({ ...this.#current, progress: { receivedBytes, totalBytes } });
  }

  refresh(): void {
    this.#isDue = true;
    this.#options.keep(this.#document());
    this.#tryFlush();
  }

  event(event: NewEvent): void {
    this.#queue({ event: this.stamp(event) });
  }

  stamp(event: NewEvent): EventDocument {
    const detail = shorten(event.detail, limits.words.event);
    return { ...event, detail, at: this.#timestamp(), bootId: this.#options.bootId };
  }

  tell(event: EventDocument, onTold: () => Promise<unknown>): void {
    this.#queue({ event, onTold });
  }

  #queue(waiting: WaitingEvent): void {
    const { event } = waiting;
    this.#options.log.info({ event }, event.detail);
    this.#events.push(waiting);
    if (this.#events.length > limits.events.waiting) this.#dropFirst();
    this.#tryFlush();
  }

  flush(): Promise<void> {
    this.#flushing ??= Promise.resolve().then(() => this.#publish());
    return this.#flushing;
  }

  prove(): Promise<void> {
    this.#isDue = true;
    return this.flush();
  }

  /** Offline is no failure here: the next connect flushes. */
  #tryFlush(): void {
    this.flush().catch((error: unknown) => this.#options.log.debug({ error }, "reports wait for the broker"));
  }

  async #publish(): Promise<void> {
    try {
      // A change during a publish is picked up by the next turn of this loop.
      while (this.#isDue || this.#events.length > 0) await this.#publishNext();
    } finally {
      // In the same turn as the last look at what is due, so that nothing can come in between and be left there.
      this.#flushing = undefined;
    }
  }

  async #publishNext(): Promise<void> {
    const waiting = this.#events[0];
    if (waiting !== undefined) {
      await this.#publishEvent(waiting);
      // It may have had to go meanwhile, when too many wait.
      if (this.#events[0] === waiting) this.#events.shift();
      await waiting.onTold?.();
      return;
    }
    this.#isDue = false;
    try {
      await this.#options.publishReported(this.#document());
    } catch (error) {
      this.#isDue = true;
      throw error;
    }
  }

  /** One that can never be published must not stand before everything else that is to be told. */
  async #publishEvent(waiting: WaitingEvent): Promise<void> {
    const { event } = waiting;
    try {
      await this.#options.publishEvent(event);
    } catch (error) {
      if (!(error instanceof OutstationError) || error.retryable) throw error;
      this.#options.log.error({ reason: error.message, event }, "an event cannot be published and is dropped");
      if (this.#events[0] === waiting) this.#dropFirst();
    }
  }

  #dropFirst(): void {
    this.#events.shift();
    this.#dropped += 1;
  }

  #document(): ReportedDocument {
    const { gateway, describe } = this.#options;
    return { gateway, ...this.#current, components: describe(), at: this.#timestamp() };
  }

  #timestamp(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}
