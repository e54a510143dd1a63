// What a component asks for and offers, read from its own WIT; pure text in, typed lists out.

/** One imported or exported interface: `wasi:io/poll` at `0.2.12`. */
export interface InterfaceName {
  readonly name: string;
  readonly version: string | undefined;
}

export interface ComponentShape {
  readonly imports: readonly InterfaceName[];
  readonly exports: readonly InterfaceName[];
}

/** Reads the root world of `componentWit` output. Functions exported by name (not in an interface) are left out: nothing calls them. */
export function parseShape(wit: string): ComponentShape {
  const start = wit.indexOf("world root {");
  const world = start < 0 ? "" : wit.slice(start, wit.indexOf("\n}", start));
  // A resource of the world itself is an import, too; those of interfaces stand further in.
  const resources = [...world.matchAll(/^  (resource [^\s{;]+)/gm)].map(([, name = ""]) => ({
    name,
    version: undefined,
  }));
  return { imports: [...listInterfaces(world, "import"), ...resources], exports: listInterfaces(world, "export") };
}

/** The other way round; what has no version has none. */
export function parseInterfaceName(text: string): InterfaceName {
  const at = text.lastIndexOf("@");
  return at < 0 ? { name: text, version: undefined } : { name: text.slice(0, at), version: text.slice(at + 1) };
}

/** "wasi:io/poll@0.2.12", as people write it. */
export function formatInterface({ name, version }: InterfaceName): string {
  return version === undefined ? name : `${name}@${version}`;
}

function listInterfaces(world: string, direction: "import" | "export"): readonly InterfaceName[] {
  const pattern = new RegExp(`^\\s*${direction} ([^;\\s]+(?: *: *(?:interface|func)[^;]*)?);`, "gm");
  return [...world.matchAll(pattern)].flatMap(([, text = ""]) => parseInterface(text, direction));
}

function parseInterface(text: string, direction: "import" | "export"): readonly InterfaceName[] {
  const match = /^([a-z][\w-]*:[\w-]+\/[\w-]+)(?:@(\S+))?$/.exec(text);
  if (match) return [{ name: match[1] ?? "", version: match[2] }];
  return direction === "import" ? [{ name: text, version: undefined }] : [];
}
