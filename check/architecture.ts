// Keeps the tables in ARCHITECTURE.md equal to check/tables.ts: compares, or with --write replaces them.
import { readFileSync, writeFileSync } from "node:fs";
import { dependencies, layers, powers } from "./tables.ts";

const path = new URL("../ARCHITECTURE.md", import.meta.url);
const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");

const tables: Readonly<Record<string, string>> = {
  layers: formatTable(
    ["directory", "may import"],
    Object.entries(layers).map(([directory, allowed]) => [`\`${directory}\``, code(allowed) || "nothing"]),
  ),
  powers: formatTable(
    ["power", "given by", "used only in"],
    powers.map(({ name, modules, globals, allowed }) => [name, code([...modules, ...globals]), code(allowed)]),
  ),
  dependencies: formatTable(
    ["package", "imported only in"],
    Object.entries(dependencies)
      .filter(([, places]) => places.length > 0)
      .map(([name, places]) => [`\`${name}\``, code(places)]),
  ),
};

const before = readFileSync(path, "utf8");
const after = Object.entries(tables).reduce(replaceTable, before);
if (process.argv.includes("--write")) writeFileSync(path, after);
else if (after !== before) {
  console.error("ARCHITECTURE.md differs from check/tables.ts: run `node check/architecture.ts --write`");
  process.exit(1);
}

function replaceTable(text: string, [name, table]: readonly [string, string]): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`ARCHITECTURE.md has no place for the table of ${name}`);
  return `${text.slice(0, from + start.length)}\n${table}\n${text.slice(to)}`;
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
