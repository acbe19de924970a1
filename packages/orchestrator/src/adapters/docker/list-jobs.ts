import type Docker from "dockerode";
import type { PlacedJob } from "../../ports/job-runtime.ts";
import { askEngine } from "./ask-engine.ts";
import { getJson } from "./get-json.ts";
import { jobFilter, jobOfLabels, objectName } from "./job-objects.ts";

/** What a deployment's jobs have on an engine, by their labels: containers, volumes, or both. */
export async function listJobs(
  docker: Docker,
  deploymentId: string,
  runId?: string,
): Promise<readonly PlacedJob[]> {
  const filters = jobFilter(deploymentId, runId);
  const containers = await askEngine("list containers", (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  );
  const { Volumes: volumes } = await askEngine("list volumes", (abortSignal) =>
    docker.listVolumes({ filters, abortSignal }),
  );
  if (containers.length + (volumes ?? []).length === 0) {
    return [];
  }
  const nowMs = await engineTimeMs(docker);
  const jobs = new Map<string, PlacedJob>();
  for (const volume of volumes ?? []) {
    const job = jobOfLabels(volume.Labels);
    const { CreatedAt = "" } = volume as { readonly CreatedAt?: string };
    if (job !== undefined) {
      jobs.set(objectName(deploymentId, job), {
        ...job,
        containerId: undefined,
        isRunning: false,
        wasStarted: false,
        ageMs: Math.max(0, nowMs - Date.parse(CreatedAt)) || 0,
      });
    }
  }
  for (const { Id, Labels, State, Created } of containers) {
    const job = jobOfLabels(Labels);
    if (job !== undefined) {
      jobs.set(objectName(deploymentId, job), {
        ...job,
        containerId: Id,
        isRunning: State === "running" || State === "paused" || State === "restarting",
        wasStarted: State !== "created",
        ageMs: Math.max(0, nowMs - Created * 1000),
      });
    }
  }
  return [...jobs.values()];
}

/** By the engine's own clock: its machine may be another one. */
async function engineTimeMs(docker: Docker): Promise<number> {
  const info = await askEngine("tell its time", (abortSignal) =>
    getJson(docker, "/info", abortSignal),
  );
  return Date.parse((info as { readonly SystemTime: string }).SystemTime);
}
