import type Docker from "dockerode";
import { type Diagnosis, fine, notLookedAt, problem } from "../../ports/diagnosis.ts";
import { askInContainer } from "./ask-in-container.ts";

/** What an image says of itself, and of the ways out of a container that is confined as jobs are. */
export async function selfCheckOf(
  docker: Docker,
  deploymentId: string,
  image: string,
): Promise<readonly Diagnosis[]> {
  const answer = await askInContainer(docker, deploymentId, image, ["speckit-job", "--check"]);
  if (answer === undefined) {
    return [
      problem("docker.image-check", `${image} did not answer speckit-job --check within 10 s`),
      notLookedAt("docker.egress", "the image did not answer"),
    ];
  }
  const told = oneLine(answer.stdout);
  return [
    answer.exitCode === 0
      ? fine("docker.image-check", `${image} has what jobs need: ${told}`)
      : problem("docker.image-check", `${image} lacks something: ${told}`),
    egressOf(openWaysIn(answer.stdout)),
  ];
}

function egressOf(ways: readonly string[] | undefined): Diagnosis {
  if (ways === undefined) {
    return notLookedAt("docker.egress", "the image's self-check says nothing of it");
  }
  return ways.length === 0
    ? fine("docker.egress", "a container reaches nothing outside")
    : problem("docker.egress", `a container reaches more than its gateway: ${ways.join("; ")}`);
}

function openWaysIn(printed: string): readonly string[] | undefined {
  try {
    const { openWays } = JSON.parse(printed) as { openWays?: unknown };
    return Array.isArray(openWays) ? openWays.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** A JSON document on one line, or the start of whatever was printed. */
function oneLine(printed: string): string {
  try {
    return JSON.stringify(JSON.parse(printed)).slice(0, 2_000);
  } catch {
    return printed.replaceAll(/\s+/g, " ").trim().slice(0, 300);
  }
}
