// Durations, sizes and rates as people write them ("1s", "32MiB", "25%", "100/s") turned into numbers.

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const sizeUnits: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Milliseconds of "250ms", "1s", "2m", "1h", "7d"; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  return parseWithUnit(text, /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/, durationUnits);
}

/** Bytes of "512B", "64KiB", "32MiB", "1GiB"; undefined when it is none of these. */
export function parseSize(text: string): number | undefined {
  return parseWithUnit(text, /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/, sizeUnits);
}

/** A share between 0 and 1 of "25%"; undefined when it is not one. */
export function parseShare(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text);
  const share = Number(match?.[1]) / 100;
  return share > 0 && share <= 1 ? share : undefined;
}

/** Events per second of "100/s"; undefined when it is not one. */
export function parseRate(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\/s$/.exec(text);
  const rate = Number(match?.[1]);
  return rate > 0 ? rate : undefined;
}

function parseWithUnit(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number | undefined {
  const match = pattern.exec(text);
  const factor = units[match?.[2] ?? ""];
  return factor === undefined ? undefined : Math.round(Number(match?.[1]) * factor);
}
