import type Docker from "dockerode";
import { failureOf } from "../../domain/speckit-error.ts";
import type { Diagnosis } from "../../ports/diagnosis.ts";
import { askInContainer } from "./ask-in-container.ts";
import { pingEngine } from "./check-engine.ts";
import { jobImageId } from "./job-image.ts";

/**
 * Looks at what containers need: the engine, the job image, and what the image says of itself
 * (`speckit-job --check`). Stops at the first that is not there.
 */
export async function dockerDiagnosis({
  docker,
  deploymentId,
  image,
}: {
  readonly docker: Docker;
  readonly deploymentId: string;
  readonly image: string;
}): Promise<readonly Diagnosis[]> {
  const found: Diagnosis[] = [];
  const looks: readonly (readonly [string, () => Promise<Omit<Diagnosis, "check">>])[] = [
    [
      "docker.engine",
      async () => {
        const { version, apiVersion } = await pingEngine(docker);
        return { state: "ok", found: `Docker ${version} answers (API ${apiVersion})` };
      },
    ],
    [
      "docker.image",
      async () => ({
        state: "ok",
        found: `${image} is there (${(await jobImageId(docker, image)).slice(0, 19)})`,
      }),
    ],
    ["docker.image-check", () => selfCheck(docker, deploymentId, image)],
  ];
  for (const [check, look] of looks) {
    try {
      const how = await look();
      found.push({ check, ...how });
    } catch (error) {
      const { message, remedy } = failureOf(error);
      found.push({ check, state: "problem", found: message, remedy });
      break;
    }
  }
  return found;
}

async function selfCheck(
  docker: Docker,
  deploymentId: string,
  image: string,
): Promise<Omit<Diagnosis, "check">> {
  const answer = await askInContainer(docker, deploymentId, image, ["speckit-job", "--check"]);
  const told = oneLine(answer?.stdout ?? "");
  if (answer?.exitCode === 0) {
    return { state: "ok", found: `${image} has what jobs need: ${told}` };
  }
  return {
    state: "problem",
    found:
      answer === undefined
        ? `${image} did not answer speckit-job --check within 10 s`
        : `${image} lacks something: ${told}`,
    remedy:
      "Build it anew with `npm run images`; docs/job-image.md says what an own image must have.",
  };
}

/** A JSON document on one line, or the start of whatever was printed. */
function oneLine(printed: string): string {
  try {
    return JSON.stringify(JSON.parse(printed)).slice(0, 2_000);
  } catch {
    return printed.replaceAll(/\s+/g, " ").trim().slice(0, 300);
  }
}
