// Whether this Node.js can run Outstation; plain enough to be read by one that cannot.

const needed = { major: 24, minor: 15 };

/** Undefined when it can; else what to tell. `version` is `process.versions.node`. */
export function refuseNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > needed.major || (major === needed.major && minor >= needed.minor)) return undefined;
  return `Node.js ${needed.major}.${needed.minor} or later is needed; this is ${version} (${process.execPath}).`;
}
