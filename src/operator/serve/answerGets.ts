// Answers gateways that found nothing on the broker: chunks and metadata from disk, and the time, signed for who asked.
import { join } from "node:path";
import { describeError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Session } from "../session.ts";
import { parseDocument } from "../../protocol/document.ts";
import { getSchema, type GetRequest } from "../../protocol/get.ts";
import { isName } from "../../protocol/topics.ts";
import { OperatorError } from "../error.ts";
import { readBytesIfPresent, readSlice } from "../files.ts";
import { blobPath, directorDirectory, directorRootDirectory, imageDirectory } from "../repository/places.ts";
import { listRoots } from "../repository/repository.ts";
import { onlineSigners } from "../repository/signers.ts";
import type { SigningKey } from "../keys/key.ts";
import { signTime } from "../signTime.ts";
import type { Workspace } from "../workspace.ts";
import { createAllowance, type Allowance } from "./allowance.ts";

export interface AnswerOptions {
  readonly workspace: Workspace;
  readonly session: Session;
  readonly log: Log;
}

/**
 * Answers until the returned function is called. A request that is not understood, or too many, gets no answer, and of
 * one gateway only so many get a line in the log.
 */
export async function answerGets(options: AnswerOptions): Promise<() => Promise<void>> {
  const { session, log, workspace } = options;
  const { remembered, warnings } = limits.serve;
  const allowance = createAllowance(limits.serve, workspace.clock);
  const lines = createAllowance({ ...warnings, remembered }, workspace.clock);
  const loadSigner = createSignerLoader(workspace);
  const { gets } = session.topics.gateway("+");
  return session.link.subscribe(gets, async (topic, payload) => {
    const asked = parseTopic(topic);
    if (asked === undefined) return;
    try {
      await answer({ ...options, allowance, loadSigner }, { ...asked, request: parseRequest(payload) });
    } catch (error) {
      if (!lines.take(asked.gateway, 1)) return;
      log.warn({ gateway: asked.gateway, reason: describeError(error) }, "a request was not answered");
    }
  });
}

interface Asked {
  readonly gateway: string;
  readonly id: string;
  readonly request: GetRequest;
}

interface Answering extends AnswerOptions {
  readonly allowance: Allowance;
  readonly loadSigner: () => Promise<SigningKey>;
}

async function answer(options: Answering, asked: Asked): Promise<void> {
  const { gateway, request } = asked;
  const cost = request.want === "blob" ? request.chunks.length : 1;
  // A gateway that was taken over could otherwise have us send for ever, on a link that somebody pays for.
  if (!options.allowance.take(gateway, cost))
    throw new OperatorError("no-answer", `It asks for more than its share, now for a ${request.want}.`, {
      retryable: true,
    });
  if (request.want === "blob") return answerBlob(options, asked, request);
  const bytes =
    request.want === "time" ? await readTime(options, asked, request) : await readFile(options, asked, request);
  await publishPart(options, asked, bytes === undefined ? "none" : 0, bytes);
}

async function answerBlob(
  options: AnswerOptions,
  asked: Asked,
  { sha256, chunks }: Extract<GetRequest, { want: "blob" }>,
): Promise<void> {
  const { chunkSizeBytes } = limits.blob;
  for (const chunk of chunks) {
    const part = { offset: chunk * chunkSizeBytes, lengthBytes: chunkSizeBytes };
    const bytes = await readSlice(blobPath(options.workspace, sha256), part);
    if (bytes === undefined || bytes.length === 0) return publishPart(options, asked, "none", undefined);
    await publishPart(options, asked, chunk, bytes);
  }
}

/** The schema lets no separator into the name, so it stays in the directory; keys and drafts are elsewhere. */
async function readFile(
  { workspace }: AnswerOptions,
  { gateway }: Asked,
  { repository, file }: Extract<GetRequest, { want: "file" }>,
): Promise<Uint8Array | undefined> {
  if (repository === "image") return readBytesIfPresent(join(imageDirectory(workspace), file));
  const isRoot = /^\d+\.root\.json$/.test(file);
  return readBytesIfPresent(
    join(isRoot ? directorRootDirectory(workspace) : directorDirectory(workspace, gateway), file),
  );
}

async function readTime(
  { workspace, loadSigner }: Answering,
  { gateway }: Asked,
  { nonce }: Extract<GetRequest, { want: "time" }>,
): Promise<Uint8Array> {
  return signTime({ gateway, nonce }, workspace.clock.nowMs(), await loadSigner());
}

/**
 * The key that the newest root of the director names for timestamps, opened once for each root: a passphrase takes a
 * tenth of a second of this thread, and a whole fleet asks at once when its broker comes back.
 */
function createSignerLoader(workspace: Workspace): () => Promise<SigningKey> {
  let opening: { readonly root: number; readonly signer: Promise<SigningKey> } | undefined;
  const open = async (): Promise<SigningKey> => (await onlineSigners(workspace, "director")).timestamp;
  return async () => {
    const root = (await listRoots(directorRootDirectory(workspace))).at(-1) ?? 0;
    if (opening?.root !== root) opening = { root, signer: open() };
    const { signer } = opening;
    try {
      return await signer;
    } catch (thrown) {
      opening = undefined;
      throw thrown;
    }
  };
}

async function publishPart(
  { session }: AnswerOptions,
  { gateway, id }: Asked,
  part: number | "none",
  payload: Uint8Array = new Uint8Array(),
): Promise<void> {
  await session.link.publish({ topic: session.topics.gateway(gateway).got(id, part), payload });
}

/** Who asks is in the topic, which the broker lets only that gateway write. */
function parseTopic(topic: string): Pick<Asked, "gateway" | "id"> | undefined {
  const levels = topic.split("/");
  const [id = "", gateway = ""] = [levels.at(-1), levels.at(-4)];
  return isName(gateway) && /^[A-Za-z0-9_-]{8,64}$/.test(id) ? { gateway, id } : undefined;
}

function parseRequest(payload: Uint8Array): GetRequest {
  return parseDocument(getSchema, payload, { what: "request", maxBytes: limits.get.requestBytes });
}
