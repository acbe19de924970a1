import { readFileSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { join } from "node:path";
import Docker from "dockerode";
import { SpeckitError } from "../../domain/speckit-error.ts";

/** Where the engine is, in the words of Docker's own variables. */
export interface DockerAddress {
  /**
   * `DOCKER_HOST`: `unix:///path` or `tcp://host:port`. Default `unix:///var/run/docker.sock`.
   */
  readonly host?: string | undefined;
  /** `DOCKER_CERT_PATH`: folder with `ca.pem`, `cert.pem` and `key.pem`. */
  readonly certPath?: string | undefined;
  /** `DOCKER_TLS_VERIFY`: speak TLS, and check the engine's certificate. Default false. */
  readonly tlsVerify?: boolean | undefined;
}

export const DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock";

/**
 * A client for one engine. Connects to nothing yet. Each call has a connection of its own: one kept
 * from before an engine's restart would fail the first call after it.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`, `ENGINE_FORBIDDEN` when the certificates cannot be read
 */
export function connectDocker(address: DockerAddress = {}): Docker {
  const { host = DEFAULT_DOCKER_HOST } = address;
  if (host.startsWith("unix://")) {
    const socketPath = host.slice("unix://".length) || DEFAULT_DOCKER_HOST.slice("unix://".length);
    // What is left out here would be taken from the process's environment.
    return open({ host: undefined, socketPath, protocol: "http", agent: new HttpAgent() });
  }
  const url = parseHost(host);
  const isTls = address.tlsVerify === true || url.protocol === "https:";
  return open({
    protocol: isTls ? "https" : "http",
    host: url.hostname,
    port: Number(url.port || (isTls ? 2376 : 2375)),
    agent: isTls ? new HttpsAgent() : new HttpAgent(),
    ...certificates(isTls ? address.certPath : undefined),
  });
}

/** The types of dockerode do not know that each of its requests may be given an agent. */
function open(options: Docker.DockerOptions & { readonly agent?: HttpAgent }): Docker {
  return new Docker(options);
}

function parseHost(host: string): URL {
  if (/^ssh:/i.test(host)) {
    // The client's own ssh would take whatever host key it is shown.
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      "DOCKER_HOST: expected unix:///path or tcp://host:port, got an ssh address",
      { remedy: "Forward the engine's socket with ssh itself: docs/containers.md shows how." },
    );
  }
  const url = URL.parse(host.includes("://") ? host : `tcp://${host}`);
  const isAddress =
    url !== null &&
    ["tcp:", "http:", "https:"].includes(url.protocol) &&
    url.hostname !== "" &&
    ["", "/"].includes(url.pathname);
  if (!isAddress) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `DOCKER_HOST: expected unix:///path or tcp://host:port, got ${JSON.stringify(host)}`,
    );
  }
  return url;
}

function certificates(folder: string | undefined) {
  const read = (name: string) => {
    if (folder === undefined) {
      return undefined;
    }
    try {
      return readFileSync(join(folder, name));
    } catch (cause) {
      throw new SpeckitError(
        "ENGINE_FORBIDDEN",
        `DOCKER_CERT_PATH: ${join(folder, name)} cannot be read`,
        { cause },
      );
    }
  };
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}
