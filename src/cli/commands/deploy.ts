// outstation deploy: says what one gateway runs, signed for that gateway alone, and waits for how it went.
import { describePhase } from "../../protocol/explain.ts";
import { limits } from "../../base/limits.ts";
import { formatRefusal } from "../../protocol/refusal.ts";
import { describeAgeing } from "../../operator/ceremony/ageing.ts";
import { awaitDeployment } from "../../operator/gateways.ts";
import { publishDeployment } from "../../operator/publish.ts";
import { OperatorError } from "../../operator/error.ts";
import { deployComponents } from "../../operator/deployComponents.ts";
import type { ReportedDocument } from "../../protocol/reports.ts";
import { durationOption, gatewayAt, longestWaitMs, textOption } from "../arguments.ts";
import { UsageError, type Command, type CommandContext } from "../command.ts";
import { readInput } from "../input.ts";
import { tellIfAway } from "../presence.ts";

/** How long a broker that went away in the middle of a deployment is waited for, at least. */
const publishMs = 2 * limits.link.ackTimeoutMs;

export const deploy: Command = {
  name: "deploy",
  summary: "say what a gateway runs, and wait until it does",
  synopsis: "<gateway> <deployment.json> | <gateway> --release <component>=<name@version>",
  help: `Signs a deployment for one gateway and publishes it. The file says what runs, what each component is granted,
when it is called, and its limits; all that is not granted does not exist for the component:

  { "components": { "boiler": {
      "release":  "boiler@1.0.0",
      "grants":   { "serial": { "probe": "read-write" }, "gpio": { "relay": "out" } },
      "triggers": { "interval": { "sample": "1s" } },
      "config":   { "setpoint": 61.5 } } } }

With --release, the deployment of before is taken with another release of one component; your file is not changed, so
a later deployment of the file goes back to the release it names. The command waits until the gateway has committed,
refused or rolled back, at most --timeout (default 5m), or not at all with --no-wait. Exit code 1 means that something
else runs now than was asked for; "outstation why" says why. Exit code 75 means that the gateway has not said yet, or
that you pressed Ctrl-C: the deployment is published and goes on by itself.

  outstation deploy pump-7 pump-7.json
  outstation deploy pump-7 --release boiler=boiler@1.1.0`,
  options: {
    release: { type: "string" },
    "no-wait": { type: "boolean" },
    timeout: { type: "string", default: "5m" },
  },
  words: { min: 1, max: 2 },
  run: async (context) => {
    const gateway = gatewayAt(context, 0);
    const workspace = await context.workspace();
    const timeoutMs = durationOption(context, "timeout", longestWaitMs) ?? 0;
    const change = await readChange(context);
    const deployment = await deployComponents(workspace, gateway, change);
    context.progress(`deployment ${deployment.version} for ${gateway} is signed`);
    for (const line of await describeAgeing(workspace)) context.progress(line);
    await using session = await context.session(workspace);
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]);
    const wanted = { gateway, version: deployment.version };
    // Longer than the shortest --timeout: what is signed should be published, unless the broker is not there any more.
    const publishing = AbortSignal.any([context.signal, AbortSignal.timeout(Math.max(timeoutMs, publishMs))]);
    await abortable(publishDeployment(workspace, gateway, session.link), publishing, () => unpublished(wanted));
    if (context.options["no-wait"] === true) {
      return context.print(`Deployment ${wanted.version} for ${gateway} is published.`, {
        ...wanted,
        phase: "published",
      });
    }
    const [reported] = await Promise.all([
      awaitDeployment(session, wanted, { signal, onProgress: createProgress(context) }),
      tellIfAway(context, session, gateway, "the deployment waits for it"),
    ]);
    return printEnd(context, wanted, reported);
  },
};

/** A broker that went away may come back, but nobody waits for it longer than they said. */
async function abortable<T>(task: Promise<T>, signal: AbortSignal, why: () => OperatorError): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(why());
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([task, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function unpublished({ gateway, version }: { readonly gateway: string; readonly version: number }): OperatorError {
  const message = `Deployment ${version} for ${gateway} is signed, and the broker did not take all of it in time. Deploy again when the broker answers, or let "outstation serve" publish it.`;
  return new OperatorError("no-answer", message, { retryable: true });
}

/** Each phase once, however often it is reported; a download as often as the gateway tells how far it is. */
function createProgress(context: CommandContext): (reported: ReportedDocument) => void {
  let last: string | undefined;
  return (reported) => {
    const phase = describePhase(reported);
    if (phase !== last) context.progress(`${reported.gateway}: ${phase}`);
    last = phase;
  };
}

function printEnd(
  context: CommandContext,
  { gateway, version }: { readonly gateway: string; readonly version: number },
  reported: ReportedDocument,
): 0 | 1 {
  const { phase, refusal, reason } = reported;
  const why = refusal === undefined ? (reason ?? "") : formatRefusal(refusal);
  const text =
    phase === "committed"
      ? `Deployment ${version} runs on ${gateway}.`
      : `Deployment ${version} was ${phase === "refused" ? "refused" : "rolled back"} by ${gateway}. ${why}`;
  context.print(text, { gateway, version, phase, runs: reported.deployment, refusal, reason });
  return phase === "committed" ? 0 : 1;
}

async function readChange(context: CommandContext): Promise<Parameters<typeof deployComponents>[2]> {
  const change = textOption(context, "release");
  const file = context.words[1];
  if ((change === undefined) === (file === undefined))
    throw new UsageError("Give a deployment file, or --release <component>=<name@version>.");
  if (file !== undefined) return { kind: "document", text: await readInput(file, "deployment"), source: file };
  const [component = "", release = "", ...more] = change?.split("=") ?? [];
  if (component === "" || release === "" || more.length > 0)
    throw new UsageError("Write --release as <component>=<name@version>: boiler=boiler@1.1.0");
  return { kind: "release", component, release };
}
