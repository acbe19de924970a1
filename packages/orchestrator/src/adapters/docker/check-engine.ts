import type Docker from "dockerode";
import { SpeckitError } from "../../domain/speckit-error.ts";
import { askEngine } from "./ask-engine.ts";
import { getJson } from "./get-json.ts";

/** Docker 20.10: the first with all that job containers need. */
const MIN_API = [1, 41] as const;
const PING_MS = 10_000;

export interface EngineFacts {
  /** For example `20.10.24+dfsg1`. */
  readonly version: string;
  readonly apiVersion: string;
}

/**
 * Resolves with what the engine is when it answers and is new enough.
 *
 * @throws SpeckitError `ENGINE_UNAVAILABLE`, `ENGINE_FORBIDDEN`, `ENGINE_TOO_OLD`
 */
export async function pingEngine(docker: Docker): Promise<EngineFacts> {
  const found = (await askEngine(
    "tell its version",
    (abortSignal) => getJson(docker, "/version", abortSignal),
    { deadlineMs: PING_MS },
  )) as Pick<Docker.DockerVersion, "Version" | "ApiVersion">;
  const [major = 0, minor = 0] = found.ApiVersion.split(".").map(Number);
  if (major < MIN_API[0] || (major === MIN_API[0] && minor < MIN_API[1])) {
    throw new SpeckitError(
      "ENGINE_TOO_OLD",
      `Docker ${found.Version} speaks API ${found.ApiVersion}, expected ${MIN_API.join(".")} or newer`,
    );
  }
  return { version: found.Version, apiVersion: found.ApiVersion };
}
