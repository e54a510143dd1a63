// Joins signed commands to what they call: a component's on-message, or the agent itself.
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import type { Log } from "../base/log.ts";
import { createCommandDesk, type CommandDesk } from "../control/commandDesk.ts";
import { openCommandJournal } from "../control/journal.ts";
import type { CommandResult, Operators } from "../protocol/command.ts";
import { agentComponent } from "../protocol/deployment.ts";
import { refuse, type Refusal } from "../protocol/refusal.ts";
import { callAgent } from "./agentMethods.ts";
import type { ComponentSet } from "./componentSet.ts";
import type { Voices } from "./voice.ts";

export interface CommandsOptions {
  readonly gateway: string;
  readonly disk: Disk;
  readonly directory: string;
  readonly operators: () => Operators | undefined;
  readonly components: ComponentSet;
  readonly voices: Voices;
  readonly publish: (result: CommandResult) => Promise<void>;
  readonly onRefusal: (refusal: Refusal, command: string | undefined) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export async function openCommands(options: CommandsOptions): Promise<CommandDesk> {
  const { gateway, disk, directory, operators, components, voices, publish, onRefusal, clock, log } = options;
  const journal = await openCommandJournal(disk, join(directory, "commands"), clock);
  return createCommandDesk({
    gateway,
    operators,
    journal,
    call: async (component, method, params) => {
      if (component === agentComponent) {
        const context = { voices, components: Object.keys(components.describe()) };
        return { kind: "answered", value: await callAgent(method, params, context) };
      }
      const running = components.find(component);
      if (running === undefined) return refuseUnknown(component, components);
      const answer = await running.message(method, JSON.stringify(params ?? {}));
      return { kind: "answered", value: parseAnswer(answer) };
    },
    publish,
    onRefusal,
    clock,
    log,
  });
}

/** The WIT says that answers are JSON; a component that answers plain words is taken at its word. */
function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function refuseUnknown(component: string, components: ComponentSet): Refusal {
  const names = Object.keys(components.describe()).join(", ") || "none";
  const seen = `There is no component "${component}" here; there are: ${names}.`;
  return refuse("command.component", seen, "Name a component of the gateway's deployment.");
}
