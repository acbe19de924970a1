import { randomUUID } from "node:crypto";
import type { TestEngine } from "@speckit/testkit/program";

/** What others have on the same engine, made before a campaign: it must be there afterwards as it was. */
export interface Neighbours extends AsyncDisposable {
  /** Each is that of a container, a network and a volume. */
  readonly names: readonly string[];
  /** @returns what is gone or was touched, one line each */
  readonly check: () => Promise<readonly string[]>;
}

interface Made {
  readonly what: string;
  /** Arguments of `docker` that tell of it. */
  readonly look: readonly string[];
  readonly before: string;
}

/** Each kind of object, once of another deployment and once of nobody we know. */
const OWNERS = {
  "another deployment": ["speckit.deployment=00000000-0000-4000-8000-000000000000"],
  nobody: [],
} as const;

/** A job's own labels, so that only the deployment tells it apart. */
const AS_A_JOB = ["speckit.role=job", `speckit.run=${randomUUID()}`, "speckit.phase=plan"];

/** Containers that run, networks and volumes. */
export async function makeNeighbours(engine: TestEngine): Promise<Neighbours> {
  await using undo = new AsyncDisposableStack();
  const remove = (...args: readonly string[]): void =>
    undo.defer(async () => {
      // It may be gone: that was told.
      await engine.docker(args).catch(() => {});
    });
  const made: Made[] = [];
  const names: string[] = [];
  for (const [owner, labels] of Object.entries(OWNERS)) {
    const name = `campaign-neighbour-${randomUUID()}`;
    names.push(name);
    const all = labels.length === 0 ? [] : [...labels, ...AS_A_JOB, "speckit.attempt=1"];
    const labelled = all.flatMap((label) => ["--label", label]);
    await engine.docker(["volume", "create", ...labelled, name]);
    remove("volume", "rm", name);
    await engine.docker(["network", "create", "--internal", ...labelled, name]);
    remove("network", "rm", name);
    const settings = ["--network", "none", "--entrypoint", "sleep", "--volume", `${name}:/kept`];
    const image = engine.image("job");
    await engine.docker(["run", "-d", "--name", name, ...settings, ...labelled, image, "86400"]);
    remove("rm", "--force", name);
    const started = "{{.Id}} {{.State.Running}} {{.State.StartedAt}}";
    for (const [what, ...look] of [
      [`the container of ${owner}`, "inspect", "--format", started, name],
      [`the volume of ${owner}`, "volume", "inspect", name],
      [`the network of ${owner}`, "network", "inspect", "--format", "{{.Id}}", name],
    ] as const) {
      made.push({ what, look, before: await engine.docker(look) });
    }
  }
  const owned = undo.move();
  return {
    names,
    async check() {
      const found = await Promise.all(
        made.map(async ({ what, look, before }) => {
          const now = await engine.docker(look).catch(() => "gone");
          return now === before ? [] : [`${what} is no more what it was: ${now.trim()}`];
        }),
      );
      return found.flat();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
