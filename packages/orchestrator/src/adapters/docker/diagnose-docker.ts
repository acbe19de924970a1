import type Docker from "dockerode";
import type { CheckName } from "../../ports/checks.ts";
import {
  type Diagnosis,
  fine,
  notLookedAt,
  problem,
  problemOf,
  warning,
} from "../../ports/diagnosis.ts";
import { pingEngine } from "./check-engine.ts";
import { imageMissing, localImageId } from "./job-image.ts";
import { lookAtGateway } from "./look-at-gateway.ts";
import { selfCheckOf } from "./self-check-of.ts";

const BEHIND_THE_ENGINE = [
  "docker.image",
  "docker.image-check",
  "docker.egress",
  "docker.gateway-image",
  "docker.gateway",
] as const satisfies readonly CheckName[];

export interface DockerSubject {
  readonly docker: Docker;
  /** Undefined where the database does not tell it. */
  readonly deploymentId: string | undefined;
  readonly image: string;
  /** Of the gateway that workers start; undefined where somebody else runs it. */
  readonly gatewayImage: string | undefined;
  /** Of a gateway that somebody else runs; default the deployment's own. */
  readonly gatewayVolume: string | undefined;
}

/**
 * Looks at what containers need: the engine, both images, what the job image says of itself in a container
 * made like a job's (`speckit-job --check`), and the gateway. No image is pulled.
 */
export async function dockerDiagnosis(subject: DockerSubject): Promise<readonly Diagnosis[]> {
  const { docker, image, gatewayImage } = subject;
  const [engine] = await orProblem("docker.engine", async () => {
    const { version, apiVersion } = await pingEngine(docker);
    return [fine("docker.engine", `Docker ${version} answers (API ${apiVersion})`)];
  });
  if (engine?.state !== "ok") {
    const because = "the engine does not answer";
    return [
      ...(engine === undefined ? [] : [engine]),
      ...BEHIND_THE_ENGINE.map((check) => notLookedAt(check, because)),
    ];
  }
  const [job] = await orProblem("docker.image", () => lookAtImage(docker, "docker.image", image));
  return [
    engine,
    ...(job === undefined ? [] : [job]),
    ...(job?.state === "ok"
      ? await orProblem("docker.image-check", () =>
          selfCheckOf(docker, subject.deploymentId ?? "doctor", image),
        )
      : [
          notLookedAt("docker.image-check", "the image is not there"),
          notLookedAt("docker.egress", "the image is not there"),
        ]),
    ...(gatewayImage === undefined
      ? [notLookedAt("docker.gateway-image", "somebody else runs the gateway")]
      : await orProblem("docker.gateway-image", () =>
          lookAtImage(docker, "docker.gateway-image", gatewayImage),
        )),
    ...(await orProblem("docker.gateway", () => lookAtGateway(subject))),
  ];
}

async function lookAtImage(
  docker: Docker,
  check: "docker.image" | "docker.gateway-image",
  image: string,
): Promise<readonly [Diagnosis]> {
  const id = await localImageId(docker, image);
  if (id !== undefined) {
    return [fine(check, `${image} is there (${id.slice(0, 19)})`)];
  }
  const { message, failure } = imageMissing(image, `Docker does not have the image ${image}`);
  // One that names a registry is pulled by whoever needs it first.
  return [
    image.includes("/")
      ? warning(check, message, failure.remedy)
      : problem(check, message, failure.remedy),
  ];
}

async function orProblem(
  check: CheckName,
  look: () => Promise<readonly Diagnosis[]>,
): Promise<readonly Diagnosis[]> {
  try {
    return await look();
  } catch (error) {
    return [problemOf(check, error)];
  }
}
