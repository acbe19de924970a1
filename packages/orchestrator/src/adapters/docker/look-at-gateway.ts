import type Docker from "dockerode";
import { type Diagnosis, fine, notLookedAt, problem } from "../../ports/diagnosis.ts";
import { gatewayName } from "./gateway-container.ts";
import { ownerOfFolders, wayThroughGateway } from "./gateway-folders.ts";

const WITHIN_MS = 10_000;

/** Whether the gateway of a deployment runs on this engine and is one that jobs of this version can use. */
export async function lookAtGateway({
  docker,
  deploymentId,
  gatewayVolume,
}: {
  readonly docker: Docker;
  readonly deploymentId: string | undefined;
  readonly gatewayVolume: string | undefined;
}): Promise<readonly [Diagnosis]> {
  const volume = gatewayVolume ?? (deploymentId && gatewayName(deploymentId));
  if (volume === undefined || volume === "") {
    return [notLookedAt("docker.gateway", "the database does not tell which deployment this is")];
  }
  const signal = AbortSignal.timeout(WITHIN_MS);
  const way = await wayThroughGateway({ docker, gatewayVolume: volume }, signal);
  if (way === undefined) {
    return [
      gatewayVolume === undefined
        ? fine("docker.gateway", "none runs; a worker starts one with its first job")
        : problem(
            "docker.gateway",
            `no running container of this engine has the volume ${volume}`,
            "Start the gateway whose volume SPECKIT_GATEWAY_VOLUME names, on the engine of DOCKER_HOST.",
          ),
    ];
  }
  const shown = way.containerId.slice(0, 12);
  return [
    (await ownerOfFolders(docker, way, signal)) === undefined
      ? problem(
          "docker.gateway",
          `the gateway in container ${shown} is too old: it has no socket for each attempt`,
        )
      : fine("docker.gateway", `the gateway in container ${shown} has a socket for each attempt`),
  ];
}
