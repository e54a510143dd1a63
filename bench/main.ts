// npm run bench -- <group> [--json]: measures one group of figures in one run, against its peers where it has any.
import { parseArgs } from "node:util";
import { formatJson, formatTable, type Figure } from "./figure.ts";
import { measureDelivery } from "./groups/delivery.ts";
import { measureDemo } from "./groups/demo.ts";

type Measure = (progress: (text: string) => void) => Promise<readonly Figure[]>;

const groups: Readonly<Record<string, Measure>> = { delivery: measureDelivery, demo: measureDemo };

const { values, positionals } = parseArgs({ options: { json: { type: "boolean" } }, allowPositionals: true });
const [group = ""] = positionals;
const measure = groups[group];
if (measure === undefined) {
  console.error(`usage: npm run bench -- <group> [--json]\ngroups: ${Object.keys(groups).join(", ")}`);
  process.exit(2);
}
const figures = await measure((text) => void (values.json === true || console.error(text)));
console.log(values.json === true ? figures.map(formatJson).join("\n") : formatTable(figures));
