// outstationd why: says on the gateway itself, without a broker and beside a running agent, what stands in the way.
import { join } from "node:path";
import { describeError } from "../base/error.ts";
import { silentLog } from "../base/log.ts";
import { explainStanding } from "../protocol/explain.ts";
import { readDeployments } from "../store/deploymentStore.ts";
import { readOnlyDisk } from "../store/nodeDisk.ts";
import { ConfigError } from "./config.ts";
import { readKept } from "./reportedFile.ts";

/** The text to print, and 0; or why there is nothing, and 69: nothing was ever reported from this directory. */
export async function explainWhy(
  directory: string,
  isJson: boolean,
): Promise<{ readonly text: string; readonly code: 0 | 69 }> {
  try {
    const kept = await readKept(readOnlyDisk, directory);
    if (kept === undefined) {
      const text = `Nothing was ever reported from ${directory}. Is it set up (outstationd setup), and did outstationd run?`;
      return { text, code: 69 };
    }
    const { failed } = await readDeployments(readOnlyDisk, join(directory, "deployments"), silentLog);
    const standing = { ...kept, failed };
    return { text: isJson ? JSON.stringify(standing) : explainStanding(standing), code: 0 };
  } catch (cause) {
    const message = `${directory} cannot be read (${describeError(cause)}). Run it as the user that runs outstationd, or as root.`;
    throw new ConfigError("unreadable", message, { cause });
  }
}
