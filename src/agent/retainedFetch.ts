// Files of a repository as retained messages; what the broker does not have is missing, not an error.
import { LinkError, type Link } from "../link/link.ts";
import type { FetchFile } from "../trust/fetchFile.ts";

/** Makes the fetch of one repository from the topics of its files. Rejects with LinkError "offline" when not connected. */
export function createRetainedFetch(fetchTopic: Link["fetch"]): (topicOf: (file: string) => string) => FetchFile {
  return (topicOf) => async (file, maxBytes) => {
    try {
      return await fetchTopic(topicOf(file), { maxBytes });
    } catch (error) {
      if (error instanceof LinkError && error.code === "timeout") return undefined;
      throw error;
    }
  };
}
