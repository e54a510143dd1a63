// Looks a name up in a table as written: "constructor" is a name like any other, not what every object inherits.

export function ownEntry<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
