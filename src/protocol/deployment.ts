// What a director signs for one gateway: which releases run, what they are granted, when they are called, and their limits.
import * as v from "valibot";
import { limits } from "../base/limits.ts";
import { parseDuration, parseRate, parseShare, parseSize } from "./quantity.ts";
import { isName } from "./topics.ts";

const name = v.pipe(v.string(), v.check(isName, "expected a name of a-z, 0-9, '.', '_' or '-', at most 64 long"));

/** A timer of Node fires at once when it is set for longer. */
const longestTimerMs = 2 ** 31 - 1;

const duration = v.pipe(
  v.string(),
  v.check((text) => parseDuration(text) !== undefined, 'expected a duration such as "250ms", "1s" or "2m"'),
  v.transform((text) => parseDuration(text) ?? 0),
);
const period = v.pipe(
  duration,
  v.check((ms) => ms >= 10 && ms <= longestTimerMs, "expected a period of 10 ms to 24 days"),
);
const wait = v.pipe(
  duration,
  v.check((ms) => ms >= 1 && ms <= longestTimerMs, "expected a time of 1 ms to 24 days"),
);
const size = v.pipe(
  v.string(),
  v.check((text) => parseSize(text) !== undefined, 'expected a size such as "64KiB" or "32MiB"'),
  v.transform((text) => parseSize(text) ?? 0),
);
const share = v.pipe(
  v.string(),
  v.check((text) => parseShare(text) !== undefined, 'expected a share such as "25%"'),
  v.transform((text) => parseShare(text) ?? 0),
);
const rate = v.pipe(
  v.string(),
  v.check((text) => parseRate(text) !== undefined, 'expected a rate such as "100/s"'),
  v.transform((text) => parseRate(text) ?? 0),
);

/** "10.0.0.5:5005" or "[fd00::5]:5005"; "*" as port means any. */
const address = v.pipe(
  v.string(),
  v.regex(/^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):(\d{1,5}|\*)$/, 'expected "address:port"'),
);

const grants = v.strictObject({
  serial: v.optional(v.record(name, v.picklist(["read", "read-write"])), {}),
  gpio: v.optional(v.record(name, v.picklist(["in", "out"])), {}),
  udp: v.optional(
    v.strictObject({
      /** Where datagrams may be sent. */
      send: v.optional(v.array(address), []),
      /** Local addresses that may be bound to receive on. */
      bind: v.optional(v.array(address), []),
    }),
    {},
  ),
});

const triggers = v.strictObject({
  /** Timer name to period. */
  interval: v.optional(v.record(name, period), {}),
  /** Serial ports whose complete lines are handed to the component. */
  line: v.optional(v.array(name), []),
  /** GPIO lines whose edges are handed to the component. */
  edge: v.optional(v.record(name, v.picklist(["rising", "falling", "both"])), {}),
  /** Name to local address whose datagrams are handed to the component. */
  datagram: v.optional(v.record(name, address), {}),
});

const componentLimits = v.strictObject({
  memory: v.optional(v.pipe(size, v.maxValue(limits.component.memoryLargestBytes, "expected at most 1GiB"))),
  call: v.optional(wait),
  cpu: v.optional(share),
  readings: v.optional(rate),
  logs: v.optional(rate),
});

const health = v.strictObject({
  /** How long a new release may take to start and to finish its first call. */
  within: v.optional(wait),
  /** How long it must then stay up before the deployment is committed. */
  bake: v.optional(wait),
});

const release = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,63}@\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, 'expected "name@1.2.3"'),
);

export const componentDeploymentSchema = v.strictObject({
  release,
  grants: v.optional(grants, {}),
  triggers: v.optional(triggers, {}),
  limits: v.optional(componentLimits, {}),
  /** Handed to the component as its configuration; at most a few kilobytes. */
  config: v.optional(v.record(v.string(), v.unknown()), {}),
  health: v.optional(health, {}),
});

/** Commands to a component of this name go to the agent itself, so no component can have it. */
export const agentComponent = "agent";

const componentName = v.pipe(
  name,
  v.check((text) => text !== agentComponent, 'the name "agent" is the agent\'s own; give the component another'),
);

export const deploymentSchema = v.strictObject({
  /** No higher than what a floor can remember exactly. */
  version: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  gateway: name,
  components: v.pipe(
    v.record(componentName, componentDeploymentSchema),
    v.check(
      (components) => Object.keys(components).length <= limits.deployment.components,
      `expected at most ${limits.deployment.components} components`,
    ),
  ),
});

/** A deployment as parsed: durations in ms, sizes in bytes, shares 0 to 1, rates per second. */
export type Deployment = v.InferOutput<typeof deploymentSchema>;
export type ComponentDeployment = v.InferOutput<typeof componentDeploymentSchema>;
export type Grants = ComponentDeployment["grants"];
export type Triggers = ComponentDeployment["triggers"];

/** As people write and directors sign it, before parsing. */
export type DeploymentText = v.InferInput<typeof deploymentSchema>;
