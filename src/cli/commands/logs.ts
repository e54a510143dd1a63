// outstation logs: what a component says, for as long as somebody listens.
import { limits } from "../../base/limits.ts";
import { sendCommand } from "../../operator/sendCommand.ts";
import { agentComponent } from "../../protocol/deployment.ts";
import { parseDocument, parseValue } from "../../protocol/document.ts";
import { logLinesSchema, logSchema, type LogDocument } from "../../protocol/reports.ts";
import { durationOption, gatewayAt, wordAt } from "../arguments.ts";
import type { Command } from "../command.ts";
import { tellIfAway } from "../presence.ts";
import { indentRest } from "../printable.ts";
import { describeResult } from "./command.ts";

const answerWithinMs = 30_000;

export const logs: Command = {
  name: "logs",
  summary: "the last lines of a component, and more as they come",
  synopsis: "<gateway> <component> [--for <duration>]",
  help: `Asks the gateway, by a signed command, for the component's last lines, and with --for to publish what it says for
that long, at most an hour. Nothing is sent over the link while nobody asks. Ctrl-C ends it (exit code 0).

  outstation logs pump-7 boiler
  outstation logs pump-7 boiler --for 1m`,
  options: { for: { type: "string" } },
  words: { min: 2, max: 2 },
  run: async (context) => {
    const forMs = durationOption(context, "for", limits.logs.listenMaxMs) ?? 0;
    const [gateway, component] = [gatewayAt(context, 0), wordAt(context, 1)];
    const workspace = await context.workspace();
    await using session = await context.session(workspace);
    const print = (document: LogDocument): void =>
      context.print(indentRest(`${document.at}  ${document.level.padEnd(5)}  ${document.line}`), document);
    // New lines may overtake the answer with the old ones.
    let waiting: LogDocument[] | undefined = [];
    await session.link.subscribe(session.topics.gateway(gateway).log(component), (_topic, payload) => {
      const document = parseDocument(logSchema, payload, { what: "log line" });
      if (waiting === undefined) print(document);
      else waiting.push(document);
    });
    const params = { component, forMs };
    const request = { gateway, component: agentComponent, method: "logs", params, lifetimeMs: answerWithinMs };
    const [result] = await Promise.all([
      sendCommand(workspace, session, request, context),
      tellIfAway(context, session, gateway, "it cannot be asked"),
    ]);
    if (result.status !== "succeeded") {
      context.print(describeResult(result), result);
      return 1;
    }
    for (const line of parseValue(logLinesSchema, result.result, { what: "answer" })) print(line);
    for (const line of waiting) print(line);
    waiting = undefined;
    await sleepUnlessAborted(context, forMs);
    return 0;
  },
};

function sleepUnlessAborted({ clock, signal }: Parameters<Command["run"]>[0], ms: number): Promise<void> {
  return new Promise((resolve) => {
    // An interrupt ends the wait, and is what the person wanted.
    clock.sleep(ms, signal).then(resolve, () => resolve());
  });
}
