// Figures of delivery: a first install, an update of three lines, a look with nothing new, and directors for a fleet.
import type { Figure } from "../figure.ts";
import { measureDirectors } from "./directors.ts";
import { measureInstall } from "./install.ts";
import { measureUpdates } from "./update.ts";

export async function measureDelivery(progress: (text: string) => void): Promise<readonly Figure[]> {
  return [
    ...(await measureUpdates(progress)),
    ...(await measureDirectors(progress)),
    ...(await measureInstall(progress)),
  ];
}
