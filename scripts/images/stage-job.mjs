import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../checkout.mjs";
import { imagesFolder } from "./docker.mjs";

/** Puts the job image's context together: its own folder, and the scripted agent of the library. */
export function stageJob() {
  const stage = join(imagesFolder, "job");
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  cpSync(join(root, "docker/job"), stage, { recursive: true });
  cpSync(join(root, "packages/orchestrator/agents"), join(stage, "agents"), { recursive: true });
  return stage;
}
