// The boiler's later versions, as edits of its source: what a developer would have changed.

/** Three changed lines: it also reports how far the water is from its set point. */
export function withDeviation(source: string): string {
  return replaceOnce(
    replaceOnce(
      source,
      `    if (celsius === undefined) return;\n`,
      `    if (celsius === undefined) return;\n    const deviation = celsius - Number(get("setpoint") ?? celsius);\n`,
    ),
    `    tellNeighbour(\`\${timer} \${celsius.toFixed(2)}\`);\n`,
    `    report("deviation", [{ metric: "deviation", value: { tag: "number", val: deviation }, unit: "K" }]);\n` +
      `    tellNeighbour(\`\${timer} \${celsius.toFixed(2)} \${deviation.toFixed(2)}\`);\n`,
  );
}

/** A release that nobody tried: it throws the first time it is called. */
export function withCrash(source: string): string {
  return replaceOnce(
    source,
    `    const celsius = readTemperature();\n`,
    `    throw new Error("the burner table is missing");\n    const celsius = readTemperature();\n`,
  );
}

export function replaceOnce(source: string, from: string, to: string): string {
  if (source.split(from).length !== 2) throw new Error(`the boiler's source no longer has exactly one: ${from}`);
  return source.replace(from, () => to);
}
