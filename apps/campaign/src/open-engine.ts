import { appendFileSync } from "node:fs";
import {
  eventually,
  rowsOf,
  type SeededRandom,
  testEngine,
  watchContainerStarts,
} from "@speckit/testkit/program";
import { makeNeighbours } from "./neighbours.ts";

/**
 * The Docker engine of a campaign in containers. It is asked by the `docker` command what was started
 * there and what is left; agents' containers are killed there, as an operator or another program would.
 */
export interface CampaignEngine {
  /** What the workers need to know of it. */
  readonly env: Readonly<Record<string, string>>;
  /** SIGKILL to a random agent's container, if one runs. */
  readonly killJob: (random: SeededRandom) => Promise<void>;
  readonly killed: () => number;
  /** Agents' containers that were started so far. */
  readonly started: () => number;
  /** Waits until nothing is left but the gateway. @returns how long that took; rejects with what is left */
  readonly untilClean: () => Promise<number>;
  /** @returns what others had there and have no more, one line each */
  readonly checkNeighbours: () => Promise<readonly string[]>;
}

/** What is killed by others spends a retry; a run has three of these. */
const KILLS_PER_RUN = 2;
/** The reaper takes what is older than two minutes. */
const CLEAN_WITHIN_MS = 180_000;

/**
 * @param startsPath gets a line for each start of an agent's container, in the form agents write:
 * those in containers cannot
 * @param undo removes what is left at the end: the gateway, and the neighbours
 */
export async function openEngine(
  databaseUrl: string,
  startsPath: string,
  undo: AsyncDisposableStack,
): Promise<CampaignEngine> {
  const engine = testEngine();
  const [row] = await rowsOf<{ id: string }>(
    databaseUrl,
    "SELECT id FROM spec_workflow_deployment",
  );
  const deploymentId = row?.id ?? "";
  const prefix = `speckit-${deploymentId.slice(0, 8)}`;
  const label = `label=speckit.deployment=${deploymentId}`;
  // That both are seen shows that the look is not blind.
  const gateway = `container ${prefix}-gateway, volume ${prefix}-gateway`;
  const kills = new Map<string, number>();
  let starts = 0;

  const lines = async (...args: readonly string[]): Promise<readonly string[]> =>
    (await engine.docker(args)).split("\n").filter(Boolean);
  /** By label, and by the name that everything of a deployment has. */
  const ours = async (kind: "container" | "volume" | "network"): Promise<readonly string[]> => {
    const list = kind === "container" ? ["ps", "--all"] : [kind, "ls"];
    const name = kind === "container" ? "{{.Names}}" : "{{.Name}}";
    const found = await Promise.all(
      [label, `name=${prefix}`].map((filter) =>
        lines(...list, "--filter", filter, "--format", name),
      ),
    );
    return [...new Set(found.flat())];
  };
  const everything = async (): Promise<string> => {
    const kinds = ["container", "volume", "network"] as const;
    const all = await Promise.all(
      kinds.map(async (kind) => (await ours(kind)).map((name) => `${kind} ${name}`)),
    );
    return all.flat().join(", ");
  };

  undo.defer(async () => {
    for (const name of await ours("container")) {
      await engine.docker(["rm", "--force", "--volumes", name]);
    }
    for (const name of await ours("volume")) {
      await engine.docker(["volume", "rm", name]);
    }
  });
  const neighbours = undo.use(await makeNeighbours(engine));
  undo.use(
    watchContainerStarts(engine.dockerHost, deploymentId, (start) => {
      starts += 1;
      const { phase, attempt, runId, containerId, atMs } = start;
      appendFileSync(startsPath, `${phase} ${attempt} ${runId} ${containerId} ${atMs}\n`);
    }),
  );
  return {
    env: {
      SPECKIT_RUNTIME: "docker",
      DOCKER_HOST: engine.dockerHost,
      SPECKIT_JOB_IMAGE: engine.image("job"),
      SPECKIT_GATEWAY_IMAGE: engine.image("worker"),
    },
    async killJob(random) {
      const filters = ["--filter", label, "--filter", "label=speckit.role=job"];
      const format = '{{.ID}} {{.Label "speckit.run"}}';
      const running = (await lines("ps", "--no-trunc", ...filters, "--format", format))
        .map((line) => line.split(" ") as [string, string])
        .filter(([, runId]) => (kills.get(runId) ?? 0) < KILLS_PER_RUN);
      if (running.length > 0) {
        const [id, runId] = random.pick(running);
        // It may have ended by itself meanwhile.
        await engine.docker(["kill", id]).then(
          () => kills.set(runId, (kills.get(runId) ?? 0) + 1),
          () => {},
        );
      }
    },
    started: () => starts,
    killed: () => [...kills.values()].reduce((total, count) => total + count, 0),
    async untilClean() {
      const sinceMs = performance.now();
      await eventually(
        "only the gateway is left on the engine",
        everything,
        (all) => all === gateway,
        { withinMs: CLEAN_WITHIN_MS, everyMs: 500 },
      );
      return Math.round(performance.now() - sinceMs);
    },
    checkNeighbours: neighbours.check,
  };
}
