// Sends one signed command and waits for its one answer.
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { parseDocument } from "../protocol/document.ts";
import { resultSchema, type CommandResult } from "../protocol/command.ts";
import { signCommand } from "./command.ts";
import { OperatorError } from "./error.ts";
import { loadOperatorKey } from "./operators.ts";
import type { Session } from "./session.ts";
import type { Workspace } from "./workspace.ts";

export interface CommandToSend {
  readonly gateway: string;
  readonly component: string;
  readonly method: string;
  readonly params?: unknown;
  /** How long the gateway may take to begin; the command is refused after that. */
  readonly lifetimeMs: number;
}

export interface SendOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Ends the wait with OperatorError "interrupted"; the gateway may carry the command out all the same. */
  readonly signal?: AbortSignal;
}

/** Resolves with the gateway's answer, whatever it is. OperatorError "no-answer" when none came in the command's lifetime. */
export async function sendCommand(
  workspace: Workspace,
  session: Session,
  toSend: CommandToSend,
  { clock, random, signal }: SendOptions,
): Promise<CommandResult> {
  const key = await loadOperatorKey(workspace);
  const { id, token } = await signCommand({ key, clock, random, ...toSend });
  const topics = session.topics.gateway(toSend.gateway);
  const answered = Promise.withResolvers<CommandResult>();
  const stop = await session.link.subscribe(topics.result(id), (_topic, payload) =>
    answered.resolve(parseDocument(resultSchema, payload, { what: "answer" })),
  );
  const cancel = clock.after(toSend.lifetimeMs, () => answered.reject(noAnswer(toSend)));
  const onAbort = (): void => answered.reject(interrupted(toSend));
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal?.aborted) throw interrupted(toSend);
    // Together, so that a wait that ends first has somebody to hear of it.
    const [answer] = await Promise.all([
      answered.promise,
      session.link.publish({ topic: topics.command(id), payload: token }),
    ]);
    return answer;
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
    await stop();
  }
}

function noAnswer({ gateway, lifetimeMs }: CommandToSend): OperatorError {
  const message = `${gateway} did not answer within ${lifetimeMs / 1000} s. The command has expired, so it is not begun any more. See: outstation status ${gateway}`;
  return new OperatorError("no-answer", message, { retryable: true });
}

function interrupted({ gateway }: CommandToSend): OperatorError {
  const message = `Interrupted. ${gateway} may carry the command out all the same, before it expires.`;
  return new OperatorError("interrupted", message, { retryable: true });
}
