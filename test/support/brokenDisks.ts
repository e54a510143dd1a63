// Ways to get a durable write wrong, to see that the model of a power cut finds each of them.
import type { FileCalls, FileDescriptor, FileEntry } from "../../src/store/fileCalls.ts";

type Open = FileCalls["open"];

/** `change` says what the descriptor of each file or directory does instead. */
function withOpen(calls: FileCalls, change: (opened: FileDescriptor, path: string) => FileDescriptor): FileCalls {
  const open: Open = async (path, flags, mode) => change(await calls.open(path, flags, mode), path);
  return { ...calls, open };
}

function withoutSync(opened: FileDescriptor): FileDescriptor {
  return { ...opened, sync: async () => {} };
}

/** Leaves out every fsync of a file or directory whose path matches. */
export function neverSyncs(pattern: RegExp): (calls: FileCalls) => FileCalls {
  return (calls) => withOpen(calls, (opened, path) => (pattern.test(path) ? withoutSync(opened) : opened));
}

/** Syncs all it should, but the file only once it has its name. */
export function renamesBeforeItSyncs(calls: FileCalls): FileCalls {
  const unsynced = new Map<string, FileDescriptor>();
  const changed = withOpen(calls, (opened, path) => {
    if (!path.endsWith(".tmp")) return opened;
    unsynced.set(path, opened);
    return withoutSync(opened);
  });
  const rename: FileCalls["rename"] = async (from, to) => {
    await calls.rename(from, to);
    await unsynced.get(from)?.sync();
  };
  return { ...changed, rename };
}

/** Believes, after a restart, in names that only a killed process has seen: opens the disk without syncing them. */
export function trustsWhatAKillLeft(calls: FileCalls): FileCalls {
  let isSettling = false;
  const changed = withOpen(calls, (opened) => (isSettling ? withoutSync(opened) : opened));
  function readdir(path: string): Promise<string[]>;
  function readdir(path: string, options: { recursive: true; withFileTypes: true }): Promise<FileEntry[]>;
  async function readdir(
    path: string,
    options?: { recursive: true; withFileTypes: true },
  ): Promise<string[] | FileEntry[]> {
    isSettling = options !== undefined;
    return options === undefined ? calls.readdir(path) : calls.readdir(path, options);
  }
  const mkdir: FileCalls["mkdir"] = (path, options) => {
    isSettling = false;
    return calls.mkdir(path, options);
  };
  return { ...changed, readdir, mkdir };
}
