// The link of this gateway: who it is to the broker, and what it says when it comes, goes, or is lost.
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Link } from "../link/link.ts";
import { openLink, type RetainedMessage } from "../link/openLink.ts";
import type { StateDocument } from "../protocol/reports.ts";
import type { GatewayConfig } from "./config.ts";

export interface GatewayLinkOptions {
  readonly config: GatewayConfig;
  readonly password: string | undefined;
  /** Topic of the retained state. */
  readonly topic: string;
  /** Handed to the broker at every connect, before anything is known of this run. */
  readonly will: StateDocument;
  readonly birth: () => StateDocument;
  readonly goodbye: () => StateDocument;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Returns at once and connects in the background. */
export function openGatewayLink(options: GatewayLinkOptions): Link {
  const { config, password, topic, will, birth, goodbye, clock, random, log } = options;
  const { gateway, broker, username, factory, protocol } = config;
  const toMessage = (state: StateDocument): RetainedMessage => ({ topic, payload: JSON.stringify(state) });
  return openLink({
    url: broker ?? factory.broker,
    clientId: gateway,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    protocol,
    will: toMessage(will),
    birth: () => toMessage(birth()),
    goodbye: () => toMessage(goodbye()),
    onTakenOver: () => log.error({ gateway }, "another client connected under this gateway's name"),
    clock,
    random,
    log,
  });
}
