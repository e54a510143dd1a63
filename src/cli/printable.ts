// Text from a gateway or a component made safe for a terminal, which would obey some of it instead of showing it.

/** Control characters, marks that turn the direction of text, and line ends that are none to everybody else. */
const unprintable = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** Everything a terminal would obey, but tab and newline, as `\u001b`; JSON stays the same JSON. */
export function printable(text: string): string {
  return text.replace(unprintable, (mark) =>
    mark === "\n" || mark === "\t" ? mark : `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Lines after the first stand further in, so that nobody's words can look like a line of ours. */
export function indentRest(text: string): string {
  return text.replaceAll("\n", "\n    ");
}
