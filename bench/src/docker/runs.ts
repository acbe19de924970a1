import { join } from "node:path";
import { AGENT_PHASES } from "@speckit/orchestrator";
import { execa } from "execa";
import type { Bench } from "../bench.ts";
import { benchDatabase } from "../bench-database.ts";
import { ratio, three } from "../format.ts";
import { sampled, summaryOf, timed } from "../statistics.ts";
import { type CarriedRun, openContainerWorker, type PhaseMoments } from "./container-worker.ts";
import type { PlainRun } from "./engine.ts";
import { makeNoopRemote, NOOP_COMMAND } from "./noop-project.ts";

const FEATURE_DIRECTORY = "specs/001-do-nothing";

/** The way of each phase, cut into pieces: what each is, from when to when. */
const PIECES: Readonly<
  Record<
    string,
    readonly [Exclude<keyof PhaseMoments, "phase">, Exclude<keyof PhaseMoments, "phase">]
  >
> = {
  "each phase: opened, its workspace made": ["opened", "preparing"],
  "each phase: volume, container, upload": ["preparing", "prepared"],
  "each phase: container committed": ["prepared", "starting"],
  "each phase: started, ticket, first byte": ["starting", "firstByte"],
  "each phase: end, output, workspace back": ["firstByte", "exited"],
};

/**
 * From the claim to an agent's first byte, and a whole run of three phases, with agents that do next
 * to nothing; in turns with plain containers that run the same commands with the same rights and limits.
 */
export async function measureRuns(bench: Bench): Promise<void> {
  const { services, sizes } = bench;
  await using database = await benchDatabase(services.serverUrl);
  await using worker = await openContainerWorker({
    databaseUrl: database.url,
    stateDir: join(services.folder, "docker-state"),
  });
  const remote = await makeNoopRemote(join(services.folder, "docker-remote"));
  const runs: CarriedRun[] = [];
  const plain: PlainRun[][] = [];
  let round = 0;
  const once = async (): Promise<void> => {
    round += 1;
    runs.push(await worker.carry(remote));
    const folder = join(services.folder, `docker-plain-${round}`);
    await makePlainWorkspace(remote, folder);
    plain.push(await threePhases(worker, folder));
  };
  // The first run starts the gateway, and asks the image for what the report of each agent says.
  await sampled({ ...sizes.containerRuns, times: 1 }, () => timed(once));
  runs.length = 0;
  plain.length = 0;
  await sampled(sizes.containerRuns, () => timed(once));
  print(bench, runs, plain);
}

type Worker = Awaited<ReturnType<typeof openContainerWorker>>;

async function threePhases(worker: Worker, folder: string): Promise<PlainRun[]> {
  const took: PlainRun[] = [];
  for (const phase of AGENT_PHASES) {
    const env = { SPECKIT_PHASE: phase, SPECIFY_FEATURE_DIRECTORY: FEATURE_DIRECTORY };
    const like = worker.firstContainer();
    took.push(await worker.engine.plainRun(like, { argv: NOOP_COMMAND, env, folder }));
  }
  return took;
}

/** A checkout in the place of a job's volume, made before it is measured. */
async function makePlainWorkspace(remote: string, folder: string): Promise<void> {
  await execa("git", [
    "clone",
    "--quiet",
    "--depth",
    "1",
    `file://${remote}`,
    `${folder}/workspace`,
  ]);
  await execa("chmod", ["-R", "a+rwX", folder]);
}

function piecesOf(runs: readonly CarriedRun[]): Readonly<Record<string, readonly number[]>> {
  const pieces: Record<string, number[]> = {
    "once: claimed": [],
    "once: prepared": [],
    ...Object.fromEntries(Object.keys(PIECES).map((piece) => [piece, []])),
    "each phase: checked, committed, removed": [],
    "once: last check, publish": [],
  };
  const note = (piece: string, ms: number) => pieces[piece]?.push(ms);
  for (const { submitted, claimed, phases, succeeded } of runs) {
    note("once: claimed", claimed - submitted);
    note("once: prepared", (phases[0]?.opened ?? Number.NaN) - claimed);
    for (const [ix, phase] of phases.entries()) {
      for (const [piece, [from, to]] of Object.entries(PIECES)) {
        note(piece, phase[to] - phase[from]);
      }
      const next = phases[ix + 1];
      if (next !== undefined) {
        note("each phase: checked, committed, removed", next.opened - phase.exited);
      }
    }
    note("once: last check, publish", succeeded - (phases.at(-1)?.exited ?? Number.NaN));
  }
  return pieces;
}

function print(bench: Bench, runs: readonly CarriedRun[], plain: readonly PlainRun[][]): void {
  const phases = runs.flatMap((run) => run.phases);
  const measured = {
    claim: runs.map((run) => (run.phases[0]?.firstByte ?? Number.NaN) - run.claimed),
    start: phases.map((phase) => phase.firstByte - phase.opened),
    container: phases.map((phase) => phase.firstByte - phase.preparing),
    "plain first byte": plain.flatMap((three) => three.map(({ firstByteMs }) => firstByteMs)),
    whole: runs.map((run) => run.succeeded - run.submitted),
    "plain whole": plain.map((three) => three.reduce((sum, { wholeMs }) => sum + wholeMs, 0)),
  };
  for (const [name, samples] of Object.entries(measured)) {
    bench.keep(name, samples);
  }
  const row = (
    what: string,
    samples: readonly number[],
    floor: readonly number[],
  ): readonly string[] => {
    const [ours, theirs] = [summaryOf(samples), summaryOf(floor)];
    return [
      what,
      String(ours.count),
      three(ours.p50),
      three(ours.p95),
      three(theirs.p50),
      three(theirs.p95),
      ratio(ours.p50, theirs.p50),
    ];
  };
  const first = measured["plain first byte"];
  bench.table(
    "Job containers beside plain ones, agents that do nothing, in milliseconds",
    ["", "times", "p50", "p95", "plain p50", "p95", "/ plain"],
    [
      row("claim of a run to its first agent's first byte", measured.claim, first),
      row("start of a phase to its agent's first byte", measured.start, first),
      row("of that, from the volume on", measured.container, first),
      row("submit to success, three phases", measured.whole, measured["plain whole"]),
    ],
  );
  bench.table(
    "Where a run's time goes, in milliseconds",
    ["", "p50", "p95"],
    Object.entries(piecesOf(runs)).map(([piece, samples]) => {
      bench.keep(piece, samples);
      const { p50, p95 } = summaryOf(samples);
      return [piece, three(p50), three(p95)];
    }),
  );
}
