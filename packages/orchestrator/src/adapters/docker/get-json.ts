import type Docker from "dockerode";

/**
 * A document of the engine, for the calls of dockerode that know no way to be ended: an engine that
 * hangs would keep their connections for ever.
 *
 * @param path below the API's root, for example `/info`
 */
export function getJson(docker: Docker, path: string, abortSignal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path,
        method: "GET",
        statusCodes: { 200: true, 404: "no such thing", 500: "server error" },
        abortSignal,
      },
      (error: unknown, document: unknown) => {
        if (error === null || error === undefined) {
          resolve(document);
        } else {
          reject(error);
        }
      },
    );
  });
}
