// How verification asks for a file of a repository; where it comes from is decided outside.

/**
 * The bytes of `name`, at most `maxBytes` of them; undefined when the repository has no such file.
 * Rejects when it cannot be known right now (no connection): the refresh then fails and is tried again.
 */
export type FetchFile = (name: string, maxBytes: number) => Promise<Uint8Array | undefined>;
