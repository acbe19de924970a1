import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import type { JobSpec } from "../../ports/job-runtime.ts";
import { askEngine } from "./ask-engine.ts";

/** A job that has secrets gets them over stdin, by its entry program. */
export function hasSecrets({ secrets = {} }: Pick<JobSpec, "secrets">): boolean {
  return Object.keys(secrets).length > 0;
}

/** A way to a container's stdin; disposing it closes it. */
export interface SecretsDoor extends Disposable {
  /** Writes the secrets, once; what comes of it the container's own end tells. */
  readonly give: (secrets: Readonly<Record<string, string>>) => Promise<void>;
}

/**
 * Attaches to the stdin of a container that is not started yet. The engine keeps nothing of what goes
 * through, and closes stdin for good when the first who attached is gone (`StdinOnce`). Cut
 *
 * - before the attach: nothing has happened;
 * - between attach and start: whoever starts it later writes to a closed stdin;
 * - between start and the last byte: the entry program finds the end too early.
 *
 * In the last two no agent runs: the entry program ends without having taken the ticket, as
 * `secrets_missing`, and the phase starts again. Of two who start it at the same time, whose lines
 * come first counts.
 */
export async function openSecretsDoor(docker: Docker, containerId: string): Promise<SecretsDoor> {
  const stdin = (await askEngine("attach to a container", (abortSignal) =>
    docker
      .getContainer(containerId)
      .attach({ stream: true, stdin: true, hijack: true, abortSignal }),
  )) as Duplex;
  // A container that ends at once takes its stdin with it.
  stdin.on("error", () => {});
  return {
    async give(secrets) {
      const written = new Promise<void>((resolve) => {
        stdin.once("close", resolve);
        stdin.end(`${JSON.stringify({ secrets })}\n`, resolve);
      });
      await askEngine("take a job's secrets", () => written).catch(() => {});
    },
    [Symbol.dispose]() {
      if (!stdin.writableFinished) {
        stdin.destroy();
      }
    },
  };
}
