// The gateway that tests kill: it says "online", and never finishes the handling of a command.
import { openTestLink } from "./links.ts";

const [url = "", protocol = "auto"] = process.argv.slice(2);
const link = openTestLink(url, {
  protocol: protocol === "5" ? "5" : "auto",
  will: { topic: "state", payload: "offline" },
  birth: () => ({ topic: "state", payload: "online" }),
});
link.onOnline(() => process.stdout.write("online\n"));
await link.subscribe("commands/+", async () => {
  await link.publish({ topic: "progress", payload: "received" });
  await new Promise(() => undefined);
});
