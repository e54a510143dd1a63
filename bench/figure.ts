// One measured figure, as the benchmark prints it.

export interface Figure {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is the sum of. */
  readonly parts?: Readonly<Record<string, number>>;
  /** What it is compared with, measured in the same run. */
  readonly against?: string;
  /** Value over the peer's value. */
  readonly ratio?: number;
  /** What we want to reach, in words: "≤ 1.5 %". */
  readonly reach?: string;
  readonly met?: boolean;
}

/** The keys of every JSON line, also those without a peer or target. */
export function formatJson(figure: Figure): string {
  const { figure: name, value, unit, parts = null, against = null, ratio = null, reach = null, met = null } = figure;
  return JSON.stringify({ figure: name, value, unit, parts, against, ratio, reach, met });
}

/** Rows of a Markdown table, for docs/benchmarks.md. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ figure, value, unit, parts, against, ratio, reach, met }) => {
    const sum = parts === undefined ? "" : `: ${formatParts(parts)}`;
    const judged = met === undefined ? "" : met ? "yes" : "no";
    return `| ${figure} | ${round(value)} ${unit}${sum} | ${against ?? ""} | ${ratio === undefined ? "" : round(ratio)} | ${reach ?? ""} | ${judged} |`;
  });
  return ["| figure | value | against | ratio | reach | met |", "|---|---|---|---|---|---|", ...rows].join("\n");
}

function formatParts(parts: Readonly<Record<string, number>>): string {
  return Object.entries(parts)
    .map(([name, value]) => `${name} ${round(value)}`)
    .join(", ");
}

function round(value: number): string {
  return Number.isInteger(value) || value >= 1000 ? String(Math.round(value)) : value.toPrecision(3);
}
