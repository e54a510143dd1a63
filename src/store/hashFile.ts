// The hash of a file on the disk, read piece by piece, so that no component is ever whole in the agent's memory.
import type { Disk } from "../base/disk.ts";
import { createSha256 } from "../base/hash.ts";
import { releaseBytes } from "../base/releaseBytes.ts";
import { limits } from "../base/limits.ts";

/** The file must be there: one that is not would be made, empty. */
export async function hashFile(disk: Disk, path: string): Promise<string> {
  await using file = await disk.openFile(path, 0);
  const hash = createSha256();
  for (let position = 0; position < file.sizeBytes;) {
    const piece = await file.read(position, limits.blob.pieceBytes);
    // Somebody cut the file short meanwhile; its hash then says so.
    if (piece.length === 0) break;
    hash.update(piece);
    position += piece.length;
    releaseBytes(piece);
  }
  return hash.hex();
}
