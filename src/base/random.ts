// Chance as an argument: identifiers and jitter come from here, so a seeded run can replay them.
import { randomBytes, randomUUID } from "node:crypto";

export interface Random {
  /** A fresh RFC 4122 identifier. */
  uuid(): string;
  /** A number in [0, 1). */
  fraction(): number;
}

export const systemRandom: Random = {
  uuid: () => randomUUID(),
  fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
};
