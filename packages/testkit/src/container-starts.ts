import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** One start of a job's container, as the engine itself tells it. */
export interface ContainerStart {
  readonly containerId: string;
  readonly runId: string;
  readonly phase: string;
  readonly attempt: number;
  /** When, in Unix milliseconds. */
  readonly atMs: number;
}

/**
 * Tells of each start of a job's container of a deployment, from now until it is disposed: the engine
 * itself remembers only the last few hundred things.
 *
 * @param dockerHost as DOCKER_HOST has it
 */
export function watchContainerStarts(
  dockerHost: string,
  deploymentId: string,
  onStart: (start: ContainerStart) => void,
): Disposable {
  const filters = ["type=container", "event=start", `label=speckit.deployment=${deploymentId}`];
  const args = [...filters.flatMap((one) => ["--filter", one]), "--format", "{{json .}}"];
  const child = spawn("docker", ["events", ...args], {
    env: { ...process.env, DOCKER_HOST: dockerHost },
    stdio: ["ignore", "pipe", "inherit"],
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { Actor, timeNano } = JSON.parse(line);
    const labels: Readonly<Record<string, string>> = Actor.Attributes;
    if (labels["speckit.role"] === "job") {
      onStart({
        containerId: String(Actor.ID),
        runId: labels["speckit.run"] ?? "",
        phase: labels["speckit.phase"] ?? "",
        attempt: Number(labels["speckit.attempt"]),
        atMs: Math.round(Number(timeNano) / 1e6),
      });
    }
  });
  return { [Symbol.dispose]: () => void child.kill() };
}
