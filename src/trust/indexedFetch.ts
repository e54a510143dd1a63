// Ends the probe for newer roots without waiting: a retained topic that does not exist never answers.
import { limits } from "../base/limits.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { indexFile, indexSchema } from "../protocol/repository.ts";
import type { FetchFile } from "./fetchFile.ts";

/**
 * Answers undefined for roots beyond the repository's unsigned index, and fetches everything else. The index can only
 * withhold: a root it hides is not fetched, which a broker can do anyway; a root it invents must still be signed.
 */
export function createIndexedFetch(
  fetchRetained: (file: string, maxBytes: number) => Promise<Uint8Array | undefined>,
): FetchFile {
  let newestRoot = 0;
  return async (name, maxBytes) => {
    const version = Number(/^(\d+)\.root\.json$/.exec(name)?.[1] ?? 0);
    if (version > newestRoot) newestRoot = await readNewestRoot(fetchRetained);
    return version > newestRoot ? undefined : fetchRetained(name, maxBytes);
  };
}

async function readNewestRoot(
  fetchRetained: (file: string, maxBytes: number) => Promise<Uint8Array | undefined>,
): Promise<number> {
  const maxBytes = limits.trust.timestampMaxBytes;
  const bytes = await fetchRetained(indexFile, maxBytes);
  if (bytes === undefined) return 0;
  try {
    return parseDocument(indexSchema, bytes, { what: indexFile, maxBytes }).root;
  } catch (thrown) {
    if (thrown instanceof DocumentError) return 0;
    throw thrown;
  }
}
