// A disk of its own for a gateway's process: ext4 in an image, and copies of the image as a power cut would leave it.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rm } from "node:fs/promises";

/** All that is mounted is in a mount namespace that ends with one process, so nothing can be left behind. */
export interface LoopDisk extends AsyncDisposable {
  /** An empty file system at `state`, in place of what was there. */
  format(): void;
  /** Where it is mounted for who runs in the namespace. */
  readonly state: string;
  /** Starts a program in the namespace. */
  start(command: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess;
  /** All that the image holds at this instant, mid-write or not: the blocks the file system has written so far, no others. */
  cut(name: string): void;
  /** Mounts the copy, by which its journal is replayed, and copies its files to `directory`, which is made. */
  recover(name: string, directory: string): void;
}

const tools = ["unshare", "nsenter", "mkfs.xfs", "mkfs.ext4"];

/** Undefined when loop devices can be mounted here, else what refused. */
export function loopMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "mounting a loop device needs root";
  const missing = tools.find((tool) => spawnSync(tool, ["--version"]).error !== undefined);
  if (missing !== undefined) return `${missing} is not installed (xfsprogs, e2fsprogs, util-linux)`;
  const script =
    "d=$(mktemp -d) && truncate -s 8M $d/i && mkfs.ext4 -q $d/i && mount -o loop $d/i $d; s=$?; umount $d; rm -r $d; exit $s";
  const tried = spawnSync("unshare", ["-m", "sh", "-c", script], { encoding: "utf8" });
  return tried.status === 0 ? undefined : `a loop device cannot be mounted (${tried.stderr.trim()})`;
}

export async function openLoopDisk(): Promise<LoopDisk> {
  const root = mkdtempSync(join(tmpdir(), "outstation-loop-"));
  const holder = spawn("unshare", ["-m", "--propagation", "private", "sh", "-c", "echo here; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  const inside = ["--mount", "--target", `${holder.pid}`, "--"];
  const run = (script: string): void =>
    void execFileSync("nsenter", [...inside, "sh", "-euc", script], { stdio: ["ignore", "ignore", "pipe"] });
  const host = join(root, "host");
  const state = join(root, "mounted");
  // XFS copies an image in an instant by sharing its blocks (reflink), whatever is written to it meanwhile.
  run(
    `mkdir ${host} ${state}; truncate -s 2G ${host}.img; mkfs.xfs -q -m reflink=1 ${host}.img; mount -o loop ${host}.img ${host}`,
  );
  return {
    state,
    format: () =>
      run(
        `! mountpoint -q ${state} || umount ${state}; rm -f ${host}/*; truncate -s 16M ${host}/image; mkfs.ext4 -q ${host}/image;` +
          // Without what ext4 does for programs that rename before they sync.
          `mount -o loop,noauto_da_alloc ${host}/image ${state}; mkdir ${state}/state; sync --file-system ${state}`,
      ),
    start: (command, args, env) =>
      spawn("nsenter", [...inside, command, ...args], {
        env: { ...process.env, ...env },
        stdio: ["ignore", "ignore", "pipe"],
      }),
    cut: (name) => run(`cp --reflink=always ${host}/image ${host}/${name}`),
    recover: (name, directory) =>
      run(
        `mkdir -p ${root}/cut; mount -o loop ${host}/${name} ${root}/cut; cp -r ${root}/cut/state ${directory};` +
          `umount ${root}/cut; rm ${host}/${name}`,
      ),
    [Symbol.asyncDispose]: async () => {
      const ended = once(holder, "exit");
      holder.stdin.end();
      await ended;
      await rm(root, { recursive: true, force: true });
    },
  };
}
