// Tells a person who waits for a gateway that it is not there, so that nobody wonders for minutes.
import { fetchPresence } from "../operator/gateways.ts";
import type { Session } from "../operator/session.ts";
import type { CommandContext } from "./command.ts";

/** `meanwhile` says what becomes of what was asked: "the deployment waits for it". Says nothing when it is online. */
export async function tellIfAway(
  context: CommandContext,
  session: Session,
  gateway: string,
  meanwhile: string,
): Promise<void> {
  const presence = await fetchPresence(session, gateway);
  if (presence === "offline") context.progress(`${gateway} is offline; ${meanwhile}`);
  if (presence === "never-seen")
    context.progress(
      `${gateway} was never seen: is it set up with this fleet's factory.json, and running? Until then ${meanwhile}`,
    );
}
