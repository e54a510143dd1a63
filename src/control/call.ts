// One call into a component on behalf of a command: bounded in time and size, and always ending in an outcome.
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Command, CommandResult } from "../protocol/command.ts";
import { isRefusal } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";

/** A component's answer; wrapped, so that no component can answer something that looks like our refusal. */
export interface CallAnswer {
  readonly kind: "answered";
  /** JSON, or undefined for a method without result. */
  readonly value: unknown;
}

/** Resolves with the answer, or with a refusal such as command.component; rejects when the call failed. */
export type CallComponent = (
  component: string,
  method: string,
  params: unknown,
  signal: AbortSignal,
) => Promise<CallAnswer | Refusal>;

export type CallOutcome = Pick<CommandResult, "status" | "result" | "error" | "refusal">;

/** Never rejects. At the deadline the signal is aborted and the outcome does not wait for the call any more. */
export async function callWithDeadline(command: Command, call: CallComponent, clock: Clock): Promise<CallOutcome> {
  const deadlineMs = limits.command.callMs;
  const abort = new AbortController();
  const { promise: late, resolve: expire } = Promise.withResolvers<CallOutcome>();
  const cancel = clock.after(deadlineMs, () => {
    expire(failed(`${command.component}/${command.method} did not answer within ${deadlineMs} ms.`));
    abort.abort(new DOMException("The command's deadline has passed.", "TimeoutError"));
  });
  try {
    return await Promise.race([late, callOnce(command, call, abort.signal)]);
  } finally {
    cancel();
  }
}

async function callOnce(command: Command, call: CallComponent, signal: AbortSignal): Promise<CallOutcome> {
  try {
    const outcome = await call(command.component, command.method, command.params, signal);
    if (!isRefusal(outcome)) return describeAnswer(outcome.value);
    const { rule, seen, fix } = outcome;
    return { status: "refused", refusal: { rule, seen, fix } };
  } catch (error) {
    return failed(describeError(error));
  }
}

function describeAnswer(value: unknown): CallOutcome {
  if (value === undefined) return { status: "succeeded" };
  const text = toJson(value);
  if (text === undefined) return failed("The component's answer cannot be written as JSON.");
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > limits.command.answerBytes)
    return failed(`The component's answer has ${sizeBytes} bytes; at most ${limits.command.answerBytes} are sent.`);
  return { status: "succeeded", result: value };
}

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // A circular value or a bigint.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function failed(error: string): CallOutcome {
  return { status: "failed", error: error.slice(0, limits.component.logLineBytes) };
}
