// Writes the reference pages that follow from the code and follows every link; with --check it only says what is wrong.
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { rules } from "../src/protocol/refusal.ts";

const root = new URL("..", import.meta.url);
const pages: Readonly<Record<string, string>> = { "docs/rules.md": describeRules() };

const isCheck = process.argv.includes("--check");
const stale = Object.entries(pages).filter(([path, text]) => read(path) !== text);
for (const [path, text] of stale) {
  if (isCheck) console.error(`${path}: it does not say what the code says; run: node check/docs.ts`);
  else writeFileSync(new URL(path, root), text);
}
const documents = globSync(["*.md", "docs/**/*.md"], { cwd: root });
const dead = documents.flatMap(listDeadLinks);
for (const finding of dead) console.error(finding);
if (dead.length > 0 || (isCheck && stale.length > 0)) process.exit(1);
console.log(`docs: the links of ${documents.length} files lead somewhere, ${Object.keys(pages).join(", ")} is fresh`);

/** Links to files of this repository, without their anchors. */
function listDeadLinks(document: string): string[] {
  const links = [...readFileSync(new URL(document, root), "utf8").matchAll(/\]\(([^)#\s]+)(#[^)\s]*)?\)/g)];
  return links
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link) && !existsSync(new URL(link, new URL(document, root))))
    .map((link) => `${document}: ${link} is not there`);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(new URL(path, root), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** One section a group of rules, in the order of the table. */
function describeRules(): string {
  const groups = Map.groupBy(Object.entries(rules), ([id]) => id.split(".", 1)[0] ?? "");
  const sections = [...groups].map(
    ([group, entries]) =>
      `## ${group}\n\n${entries.map(([id, text]) => `- <a id="${id}"></a>\`${id}\`: ${text}`).join("\n")}\n`,
  );
  return `# Every reason for which a gateway says no

Made from [src/protocol/refusal.ts](../src/protocol/refusal.ts) by \`node check/docs.ts\`; edit the table there.

A refusal carries the rule, what was seen, and the fix. It is in \`reported\`, in an event, in the agent's log and in
\`outstation why\`; a refused command has it in its result ([protocol.md](protocol.md)).

${sections.join("\n")}`;
}
