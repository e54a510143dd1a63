// Takes command tokens in and sees to it that each is carried out at most once and gets one terminal answer.
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { createRateLimit } from "../base/rateLimit.ts";
import type { Command, CommandResult, Operators } from "../protocol/command.ts";
import { isRefusal, refuse } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { callWithDeadline } from "./call.ts";
import type { CallComponent } from "./call.ts";
import type { CommandJournal } from "./journal.ts";
import { readCommandId, verifyCommand } from "./verifyCommand.ts";

export interface CommandDeskOptions {
  readonly gateway: string;
  /** The director's verified list as it is now; undefined while there is none. */
  operators(): Operators | undefined;
  readonly journal: CommandJournal;
  readonly call: CallComponent;
  /** Resolves when the broker has the result; a rejection leaves it to the next `flush`. */
  publish(result: CommandResult): Promise<void>;
  /** Every refusal, also of tokens too broken to answer. */
  onRefusal?(refusal: Refusal, command: string | undefined): void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface CommandDesk {
  /** Resolves when the token is dealt with, answered if the broker could be reached. Never rejects. */
  receive(token: Uint8Array): Promise<void>;
  /** Publishes what is finished and not yet published: after boot and after each reconnect. Never rejects. */
  flush(): Promise<void>;
  /** Refusals and repeated answers over `limits.command.refusalsPerSecond`, which nobody was told. */
  readonly untold: number;
}

export function createCommandDesk(options: CommandDeskOptions): CommandDesk {
  const { gateway, journal, clock, log } = options;
  const answer = createAnswering(options);
  const { report, refuseCommand } = createRefusing(options);
  const strangers = createStrangerBound(clock);
  let running = 0;

  /** Whoever wrote the token is unknown: it gets no word in where a real command of that id has its own answer. */
  const refuseToken = async (refusal: Refusal, token: Uint8Array): Promise<void> => {
    if (!strangers.mayCause()) return;
    const id = readCommandId(token);
    if (id === undefined || journal.recall(id) !== undefined) report(refusal, id);
    else await refuseCommand(refusal, id);
  };

  /** Quiet while it still runs: its one answer is on the way. Anybody who overheard the token can repeat it. */
  const answerRepeated = async (id: string): Promise<void> => {
    const recalled = journal.recall(id);
    if (recalled?.running || !strangers.mayCause()) return;
    if (recalled?.result !== undefined) return answer(recalled.result);
    const seen = `The command ${id} was carried out before, and its answer is no longer kept.`;
    await refuseCommand(refuse("command.repeated", seen, "Sign a new command to have it done again."), id);
  };

  const carryOut = async (command: Command): Promise<CommandResult | "repeated" | "full"> => {
    const begun = await journal.begin(command);
    if (begun !== "new") return begun;
    const outcome = await callWithDeadline(command, options.call, clock);
    const result = { command: command.jti, ...outcome, at: new Date(clock.nowMs()).toISOString() };
    await journal.finish(command.jti, result);
    return result;
  };

  const receive = async (token: Uint8Array): Promise<void> => {
    const context = { gateway, operators: options.operators(), nowMs: clock.nowMs() };
    const command = await verifyCommand(token, context);
    if (isRefusal(command)) return refuseToken(command, token);
    const id = command.jti;
    if (journal.recall(id) !== undefined) return answerRepeated(id);
    if (running >= limits.command.running) return refuseCommand(busy(`${running} commands run already`), id);
    running += 1;
    const outcome = await carryOut(command).finally(() => (running -= 1));
    if (outcome === "repeated") return answerRepeated(id);
    if (outcome === "full")
      return refuseCommand(busy(`${limits.command.remembered} unexpired commands are remembered here`), id);
    await answer(outcome);
  };

  return {
    receive: async (token) => {
      try {
        await receive(token);
      } catch (error) {
        // Not begun: the same token may come again. Finished: the next flush answers. In between: "interrupted" at boot.
        log.error({ command: readCommandId(token), error: describeError(error) }, "command not completed");
      }
    },
    flush: async () => {
      for (const result of journal.pendingResults()) await answer(result);
    },
    get untold() {
      return strangers.untold;
    },
  };
}

interface Refusing {
  report(refusal: Refusal, id: string | undefined): void;
  refuseCommand(refusal: Refusal, id: string): Promise<void>;
}

function createRefusing({ log, onRefusal, publish, clock }: CommandDeskOptions): Refusing {
  const report = (refusal: Refusal, id: string | undefined): void => {
    log.warn({ command: id, rule: refusal.rule, seen: refusal.seen }, "command refused");
    onRefusal?.(refusal, id);
  };
  const refuseCommand = (refusal: Refusal, id: string): Promise<void> => {
    report(refusal, id);
    return publish(refusedResult(id, refusal, clock));
  };
  return { report, refuseCommand };
}

/** How often we say something because of a message that it takes no key to make. */
function createStrangerBound(clock: Clock): { mayCause(): boolean; readonly untold: number } {
  const { refusalsPerSecond, refusalsAtOnce } = limits.command;
  const rate = createRateLimit(refusalsPerSecond, () => clock.monotonicMs(), refusalsAtOnce);
  let untold = 0;
  return {
    mayCause: () => {
      const isWithin = rate.take(1);
      if (!isWithin) untold += 1;
      return isWithin;
    },
    get untold() {
      return untold;
    },
  };
}

/** Publishes a journalled result and notes that it is out; not while the same one is being published. */
function createAnswering({ journal, publish, log }: CommandDeskOptions): (result: CommandResult) => Promise<void> {
  const publishing = new Set<string>();
  return async (result) => {
    const id = result.command;
    if (publishing.has(id)) return;
    publishing.add(id);
    try {
      await publish(result);
      await journal.published(id);
    } catch (error) {
      log.warn({ command: id, error: describeError(error) }, "command answer not published yet");
    } finally {
      publishing.delete(id);
    }
  };
}

function refusedResult(id: string, refusal: Refusal, clock: Clock): CommandResult {
  const { rule, seen, fix } = refusal;
  return { command: id, status: "refused", refusal: { rule, seen, fix }, at: new Date(clock.nowMs()).toISOString() };
}

function busy(seen: string): Refusal {
  return refuse("command.busy", `${seen}.`, "Send it again later; the same token may be used until it expires.");
}
