import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type Docker from "dockerode";
import { SpeckitError } from "../../domain/speckit-error.ts";
import { askEngine } from "./ask-engine.ts";
import { orMissing } from "./container-state.ts";
import { getJson } from "./get-json.ts";

const PULL_MS = 600_000;

/**
 * The id of an image that containers are made from. One that is not there and names a registry or an account is pulled, once.
 *
 * @throws SpeckitError `IMAGE_MISSING` saying how to get it
 */
export async function jobImageId(
  docker: Docker,
  image: string,
  signal?: AbortSignal,
): Promise<string> {
  const there = await localImageId(docker, image, signal);
  if (there !== undefined) {
    return there;
  }
  if (!image.includes("/")) {
    throw imageMissing(image, `Docker does not have the image ${image}`);
  }
  try {
    await askEngine("pull an image", (abortSignal) => pull(docker, image, abortSignal), {
      deadlineMs: PULL_MS,
      signal,
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw imageMissing(
      image,
      `Docker does not have the image ${image} and could not pull it`,
      cause,
    );
  }
  const pulled = await localImageId(docker, image, signal);
  if (pulled === undefined) {
    throw imageMissing(image, `Docker does not have the image ${image} after it was pulled`);
  }
  return pulled;
}

/** The id of an image that the engine has; undefined where it would have to be pulled or built. */
export async function localImageId(
  docker: Docker,
  image: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const found = await orMissing(
    askEngine(
      "look at an image",
      (abortSignal) => getJson(docker, `/images/${image}/json`, abortSignal),
      { signal },
    ),
  );
  return (found as { readonly Id: string } | undefined)?.Id;
}

/** The label says which version of the contract of docs/job-image.md an image keeps. */
const CONTRACT_LABEL = "speckit.job-contract";
/** The first whose entry program takes secrets. */
const SECRETS_SINCE = 2;

/**
 * Resolves when jobs of an image can be given secrets.
 *
 * @throws SpeckitError `IMAGE_UNUSABLE` for one whose entry program knows none
 */
export async function checkTakesSecrets(
  docker: Docker,
  image: string,
  signal?: AbortSignal,
): Promise<void> {
  const found = (await askEngine(
    "look at an image",
    (abortSignal) => getJson(docker, `/images/${image}/json`, abortSignal),
    { signal },
  )) as { readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null } };
  const version = found.Config?.Labels?.[CONTRACT_LABEL];
  if (!(Number(version) >= SECRETS_SINCE)) {
    throw new SpeckitError(
      "IMAGE_UNUSABLE",
      `The job image ${image} takes no secrets: expected the label ${CONTRACT_LABEL}=${SECRETS_SINCE} or more, got ${version ?? "none"}`,
    );
  }
}

async function pull(docker: Docker, image: string, abortSignal: AbortSignal): Promise<void> {
  const progress = await docker.createImage({ fromImage: withTag(image), abortSignal });
  const lines = (await text(progress as Readable)).trim().split("\n");
  const last: { readonly error?: string } = JSON.parse(lines.at(-1) || "{}");
  if (last.error !== undefined) {
    throw new Error(last.error);
  }
}

/** Without a tag Docker pulls them all. */
function withTag(image: string): string {
  return /[:@][^/]*$/.test(image) ? image : `${image}:latest`;
}

export function imageMissing(image: string, message: string, cause?: unknown): SpeckitError {
  const remedy = image.includes("/")
    ? `Pull it with \`docker pull ${image}\` on the engine, or name another one (SPECKIT_JOB_IMAGE, SPECKIT_GATEWAY_IMAGE).`
    : "Build it with `npm run images`, or name another one (SPECKIT_JOB_IMAGE, SPECKIT_GATEWAY_IMAGE).";
  return new SpeckitError("IMAGE_MISSING", message, { remedy, cause });
}
