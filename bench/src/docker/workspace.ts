import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { Bench } from "../bench.ts";
import { benchDatabase } from "../bench-database.ts";
import { megabytes, ratio, three } from "../format.ts";
import { sampled, summaryOf, timed } from "../statistics.ts";
import { openContainerWorker } from "./container-worker.ts";
import { makeLargeRepository } from "./large-repository.ts";
import { NOOP_COMMAND } from "./noop-project.ts";

const NEVER = new AbortController().signal;

/**
 * How long it takes until the workspace of a large repository is in a job's volume, its base being in
 * the worker's cache; in turns with clones on this machine.
 *
 * Git knows no depth for a clone by path: `--local` links the whole history and checks the tip out.
 * `file://` gives one commit alone, which is what a workspace has; both are printed.
 */
export async function measureWorkspace(bench: Bench): Promise<void> {
  const { services, sizes } = bench;
  const { files, historyBytes } = sizes.largeRepository;
  await using database = await benchDatabase(services.serverUrl);
  await using worker = await openContainerWorker({
    databaseUrl: database.url,
    stateDir: join(services.folder, "workspace-state"),
  });
  const { git, runtime } = worker.deps;
  const remote = join(services.folder, "large.git");
  bench.say("making a large repository");
  await makeLargeRepository(remote, sizes.largeRepository);
  const about = { runId: randomUUID(), gitRemote: `file://${remote}`, branch: "speckit/large" };
  bench.say("fetching it into the cache");
  const { baseSha } = await git.fetchBase({ ...about, baseBranch: "main" }, NEVER);
  const run = { ...about, baseSha, tipSha: baseSha, loadCheckpoint: async () => undefined };

  const took = { made: [] as number[], uploaded: [] as number[], ready: [] as number[] };
  const clones = { local: [] as number[], depth: [] as number[] };
  const cloneTo = join(services.folder, "clone");
  const clone = async (args: readonly string[]): Promise<number> => {
    const ms = await timed(() => execa("git", ["clone", "--quiet", ...args, cloneTo]));
    await rm(cloneTo, { recursive: true });
    return ms;
  };
  let attempt = 0;
  const once = async (): Promise<void> => {
    attempt += 1;
    const name = { runId: about.runId, phase: "specify", attempt };
    const startedMs = performance.now();
    const mayPack = runtime.takesPacked === true;
    const folders = await git.createAttempt(run, { ...name, mayPack }, NEVER);
    const madeMs = performance.now();
    const command = { argv: NOOP_COMMAND, env: {}, files: [], stdin: "" };
    await runtime.prepare({ ...name, ...folders, ...command }, NEVER);
    const readyMs = performance.now();
    took.made.push(madeMs - startedMs);
    took.uploaded.push(readyMs - madeMs);
    took.ready.push(readyMs - startedMs);
    await runtime.engine?.remove(name);
    await git.removeAttempt(about.runId, name);
    clones.local.push(await clone(["--local", "--depth", "1", remote]));
    clones.depth.push(await clone(["--depth", "1", `file://${remote}`]));
  };
  await once();
  for (const samples of [...Object.values(took), ...Object.values(clones)]) {
    samples.length = 0;
  }
  await sampled(sizes.workspaces, () => timed(once));
  await git.removeRun(about.runId, about.gitRemote);

  const measured = {
    "workspace ready in the volume": took.ready,
    "of that, made on this machine": took.made,
    "of that, brought into the volume": took.uploaded,
    "git clone --local --depth 1 <path>": clones.local,
    "git clone --depth 1 file://": clones.depth,
  };
  const [local, depth] = [summaryOf(clones.local).p50, summaryOf(clones.depth).p50];
  bench.table(
    `${files} files and ${megabytes(historyBytes)} of history, from a warm cache, in milliseconds`,
    ["", "times", "p50", "slowest", "/ clone --local", "/ clone file://"],
    Object.entries(measured).map(([what, samples]) => {
      bench.keep(what, samples);
      const { count, p50, max } = summaryOf(samples);
      return [what, String(count), three(p50), three(max), ratio(p50, local), ratio(p50, depth)];
    }),
  );
}
