// An agent that tests kill in the middle of a rebuild: it says which process works for it, and reads no further.
import { readFile } from "node:fs/promises";
import { createRebuild } from "../../src/agent/rebuild.ts";
import { systemClock } from "../../src/base/clock.ts";

const [blobPath = "", length = "0"] = process.argv.slice(2);
const pieces = createRebuild(systemClock)({ blobPath, lengthBytes: Number(length) })[Symbol.asyncIterator]();
await pieces.next();
process.stdout.write(await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8"));
await new Promise(() => undefined);
