import { randomUUID } from "node:crypto";
import type Docker from "dockerode";
import { askEngine } from "./ask-engine.ts";
import { orMissing } from "./container-state.ts";
import type { DockerContext } from "./docker-options.ts";
import { LABELS, labelsOf, namePrefix } from "./job-objects.ts";

/**
 * The name this deployment knows an engine by: a label of a volume there, given by whoever makes the
 * volume first. So it is another one when the engine's volumes are others, whatever its address is or
 * it says of itself (`docker info` tells the same id for two engines of one machine).
 *
 * It is the volume of the gateway's socket, which a running gateway keeps from being pruned. One that
 * somebody else has made bears no such label; then a volume of its own has it.
 *
 * Asked each time: an engine can lose its volumes while we look on.
 */
export async function engineId({
  docker,
  deploymentId,
  gatewayVolume,
}: Pick<DockerContext, "docker" | "deploymentId" | "gatewayVolume">): Promise<string> {
  return (
    (await nameOnVolume(docker, gatewayVolume, labelsOf(deploymentId, "gateway"))) ??
    (await nameOnVolume(
      docker,
      `${namePrefix(deploymentId)}-engine`,
      labelsOf(deploymentId, "engine"),
    )) ??
    // Made without a label by somebody who is not of this deployment.
    `volume:${gatewayVolume}`
  );
}

async function nameOnVolume(
  docker: Docker,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const there = await look(docker, name);
  if (there !== undefined) {
    return there.Labels?.[LABELS.engine];
  }
  await askEngine("create a volume", (abortSignal) =>
    docker.createVolume({
      Name: name,
      Labels: { ...labels, [LABELS.engine]: randomUUID() },
      abortSignal,
    }),
  );
  // Two may have made it at once: the first one's label stands.
  return (await look(docker, name))?.Labels?.[LABELS.engine];
}

function look(docker: Docker, name: string): Promise<Docker.VolumeInspectInfo | undefined> {
  return orMissing(
    askEngine("look at a volume", (abortSignal) => docker.getVolume(name).inspect({ abortSignal })),
  );
}
