import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { engineError } from "../docker-errors.ts";

/**
 * A container's log from its first byte, as the engine's frames. With `follow` it goes on until the
 * container ends. Not dockerode's `logs()`: that keeps a log in memory which it does not follow.
 *
 * @param signal ends the stream too
 * @throws SpeckitError of the engine, `ENGINE_FAILED` when there is no such container
 */
export function openLog(
  docker: Docker,
  containerId: string,
  { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
): Promise<Readable> {
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: `/containers/${containerId}/logs?`,
        method: "GET",
        isStream: true,
        statusCodes: { 200: true, 404: "no such container", 500: "server error" },
        options: { follow, stdout: true, stderr: true, tail: "all" },
        abortSignal: signal,
      },
      (error: unknown, stream: unknown) => {
        if (error === null || error === undefined) {
          resolve(stream as Readable);
        } else {
          reject(signal.aborted ? signal.reason : engineError(error, "give a container's log"));
        }
      },
    );
  });
}
