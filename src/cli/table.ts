// Rows of text with their columns below each other.

/** Two spaces between columns; the last cell of a row does not widen its column, and no cell has a second line. */
export function alignRows(texts: readonly (readonly string[])[]): readonly string[] {
  const rows = texts.map((cells) => cells.map((cell) => cell.replaceAll("\n", " ")));
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.slice(0, -1).entries())
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
