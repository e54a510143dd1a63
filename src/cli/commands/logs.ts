// outstation logs: what a component says, for as long as somebody listens.
import { sendCommand } from "../../operator/sendCommand.ts";
import { logSchema } from "../../protocol/reports.ts";
import { parseDocument } from "../../protocol/document.ts";
import { parseDuration } from "../../protocol/quantity.ts";
import { textOption, UsageError, wordAt, type Command } from "../command.ts";

export const logs: Command = {
  name: "logs",
  summary: "the last lines of a component, and more as they come",
  synopsis: "<gateway> <component> [--for <duration>]",
  help: `Asks the gateway, by a signed command, for the component's last lines, and with --for to publish what it says for
that long. Nothing is sent over the link while nobody asks.

  outstation logs pump-7 boiler
  outstation logs pump-7 boiler --for 1m`,
  options: { for: { type: "string" } },
  words: { min: 2, max: 2 },
  run: async (context) => {
    const text = textOption(context, "for") ?? "0s";
    const forMs = parseDuration(text);
    if (forMs === undefined) throw new UsageError(`--for "${text}" is no duration such as 1m.`);
    const [gateway, component] = [wordAt(context, 0), wordAt(context, 1)];
    const workspace = await context.workspace();
    await using session = await context.session(workspace);
    const print = (document: unknown): void => {
      const { at, level, line } = parseDocument(logSchema, JSON.stringify(document), { what: "log line" });
      context.print(`${at}  ${level}  ${line}`, document);
    };
    await session.link.subscribe(session.topics.gateway(gateway).log(component), (_topic, payload) =>
      print(JSON.parse(new TextDecoder().decode(payload))),
    );
    const request = { gateway, component: "agent", method: "logs", params: { component, forMs }, lifetimeMs: 30_000 };
    const result = await sendCommand(workspace, session, request, context);
    if (result.status !== "succeeded") {
      context.print(result.refusal?.seen ?? result.error ?? result.status, result);
      return 1;
    }
    for (const document of result.result as readonly unknown[]) print(document);
    await context.clock.sleep(forMs, context.signal).catch(() => undefined);
    return 0;
  },
};
