// What a crash means: it fails a trial at once; a committed component is restarted, and rolled back when it keeps crashing.
import { limits } from "../base/limits.ts";
import type { ComponentEnd } from "../runtime/incarnation.ts";
import type { CommittedSet, DeploymentRecord } from "../store/deploymentStore.ts";

export interface CrashPolicyContext {
  readonly read: () => DeploymentRecord;
  /** Undefined while no trial runs; otherwise ends it. */
  readonly failTrial: ((reason: string) => void) | undefined;
  /** Asked to leave the deployment of this version, which is the one that crashes. */
  readonly rollBack: (version: number, reason: string) => void;
}

/**
 * "give-up" leaves the component stopped, because its whole set is about to be replaced. A component that the set before
 * has in the very same bytes would crash there too, so it is restarted with its back-off, at most every 30 s.
 */
export function decideAfterCrash(
  component: string,
  end: ComponentEnd,
  recentCrashes: number,
  { read, failTrial, rollBack }: CrashPolicyContext,
): "restart" | "give-up" {
  const reason = `${component}: ${end.reason}`;
  if (failTrial !== undefined) {
    failTrial(reason);
    return "give-up";
  }
  const { active, previous } = read();
  if (active === undefined || recentCrashes < limits.component.crashes || !isNew(component, active, previous))
    return "restart";
  const seconds = limits.component.crashWindowMs / 1000;
  rollBack(active.version, `${reason}; ${recentCrashes} crashes within ${seconds} s`);
  return "give-up";
}

function isNew(component: string, active: CommittedSet, previous: CommittedSet | undefined): boolean {
  return previous !== undefined && previous.components[component]?.sha256 !== active.components[component]?.sha256;
}
