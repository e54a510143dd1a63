// Words of bounded length, for what quotes somebody else.

/** The text itself, or its beginning with how much is left out; never longer than `most` characters. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = ` … (${text.length} characters)`;
  return text.slice(0, most - end.length) + end;
}
