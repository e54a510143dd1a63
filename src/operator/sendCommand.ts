// Sends one signed command and waits for its one answer.
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { parseDocument } from "../protocol/document.ts";
import { resultSchema, type CommandResult } from "../protocol/command.ts";
import { signCommand } from "./command.ts";
import { noAnswer } from "./gateways.ts";
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

/** Resolves with the gateway's answer, whatever it is. OperatorError "no-answer" when none came in the command's lifetime. */
export async function sendCommand(
  workspace: Workspace,
  session: Session,
  toSend: CommandToSend,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<CommandResult> {
  const { keyId, privateKey } = await workspace.loadKey("operator");
  const { id, token } = await signCommand({ privateKey, keyId, clock, random, ...toSend });
  const topics = session.topics.gateway(toSend.gateway);
  const answered = Promise.withResolvers<CommandResult>();
  const stop = await session.link.subscribe(topics.result(id), (_topic, payload) =>
    answered.resolve(parseDocument(resultSchema, payload, { what: "answer" })),
  );
  const cancel = clock.after(toSend.lifetimeMs, () =>
    answered.reject(noAnswer(toSend.gateway, `command ${id} to ${toSend.component}`)),
  );
  try {
    await session.link.publish({ topic: topics.command(id), payload: token });
    return await answered.promise;
  } finally {
    cancel();
    await stop();
  }
}
