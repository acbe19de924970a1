import { join } from "node:path";
import { root } from "../checkout.mjs";
import { codexArguments, nodeArguments } from "./pinned-programs.mjs";
import { stageJob } from "./stage-job.mjs";
import { stageWorker } from "./stage-worker.mjs";

/**
 * What can be built. `inputs`: paths in the checkout whose content decides whether it is to be built again; `context`:
 * the folder it is built from; `options`: build arguments that a caller may set by a variable of that name.
 */
export const recipes = {
  job: {
    repository: "speckit-job",
    labels: { "speckit.job-contract": "2" },
    inputs: ["docker/job", "packages/orchestrator/agents"],
    options: ["EXTRA_PACKAGES", "SPECIFY_SOURCE"],
    buildArguments: (architecture) => ({
      ...nodeArguments(architecture),
      ...codexArguments(architecture),
    }),
    context: stageJob,
  },
  worker: {
    repository: "speckit-worker",
    labels: {},
    inputs: [
      "docker/worker",
      "apps",
      "packages",
      "migrations",
      "pnpm-lock.yaml",
      "tsconfig.json",
      "scripts/images/stage-worker.mjs",
    ],
    options: [],
    buildArguments: nodeArguments,
    context: stageWorker,
  },
  rabbitmq: standIn("rabbitmq"),
  postgres: standIn("postgres"),
};

function standIn(name) {
  return {
    repository: `speckit-stand-in-${name}`,
    labels: {},
    inputs: [`docker/stand-in/${name}`],
    options: [],
    buildArguments: () => ({}),
    context: () => join(root, "docker/stand-in", name),
  };
}
