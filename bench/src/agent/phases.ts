import { join } from "node:path";
import { startMockModel } from "@speckit/mock-model";
import { AGENT_PHASES, type AgentPhase } from "@speckit/orchestrator";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import type { Bench } from "../bench.ts";
import { benchDatabase } from "../bench-database.ts";
import { ratio, three } from "../format.ts";
import { sampled, summaryOf, timed } from "../statistics.ts";
import {
  bareAttempt,
  commandOf,
  newHome,
  newWorkspace,
  ownAttempt,
  type Place,
  writeAll,
} from "./attempt.ts";
import { type CodexWorker, openCodexWorker } from "./codex-worker.ts";

const WAYS = ["bare", "own", "whole"] as const;
type Way = (typeof WAYS)[number];

/**
 * How long a phase takes with Codex called by hand, with our backend, gateway and runtime around it,
 * and as a phase of a run; with the same prompts, at the same model, in turns.
 */
export async function measurePhases(bench: Bench): Promise<void> {
  const { services, sizes } = bench;
  await using model = await startMockModel();
  await using database = await benchDatabase(services.serverUrl);
  const baseUrl = model.baseUrl("speckit");
  await using worker = await openCodexWorker({
    databaseUrl: database.url,
    stateDir: join(services.folder, "agent-state"),
    baseUrl,
  });
  const remote = await makeSampleRemote(join(services.folder, "agent-remote"));
  const took = new Map<string, number[]>();
  const note = (way: Way, phase: AgentPhase, ms: number): void => {
    const key = keyOf(way, phase);
    took.set(key, [...(took.get(key) ?? []), ms]);
  };
  let round = 0;
  const once = async (): Promise<void> => {
    round += 1;
    const folder = join(services.folder, `agent-${round}`);
    // Neither is always the one that comes second.
    const ways = round % 2 === 0 ? (["bare", "own"] as const) : (["own", "bare"] as const);
    for (const way of ways) {
      await threePhases(way, { folder: join(folder, way), worker, baseUrl, note });
    }
    for (const { name, durationMs } of (await worker.carry(remote)).phases) {
      if (durationMs !== null && isAgentPhase(name)) {
        note("whole", name, durationMs);
      }
    }
  };
  await sampled({ ...sizes.attempts, times: 1 }, () => timed(once));
  took.clear();
  await sampled(sizes.attempts, () => timed(once));
  const complaints = model.complaints();
  if (complaints.length > 0) {
    throw new Error(`The model complains: ${complaints[0]}`);
  }
  print(bench, took);
}

async function threePhases(
  way: "bare" | "own",
  on: {
    readonly folder: string;
    readonly worker: CodexWorker;
    readonly baseUrl: string;
    readonly note: (way: Way, phase: AgentPhase, ms: number) => void;
  },
): Promise<void> {
  const { folder, worker, baseUrl, note } = on;
  const workspace = await newWorkspace(folder);
  for (const phase of AGENT_PHASES) {
    const place: Place = { workspace, home: await newHome(folder, phase) };
    if (way === "own") {
      note(way, phase, await timed(() => ownAttempt(worker, phase, place)));
      continue;
    }
    const access = { baseUrl, token: "sk-bench" };
    const command = commandOf(worker.backend, phase, place, access);
    await writeAll(
      place.home,
      Object.fromEntries(command.files.map(({ path, content }) => [path, content])),
    );
    note(way, phase, await timed(() => bareAttempt(command, place)));
  }
}

function print(bench: Bench, took: ReadonlyMap<string, readonly number[]>): void {
  const of = (way: Way, phase: AgentPhase) => summaryOf(took.get(keyOf(way, phase)) ?? []);
  for (const [key, samples] of took) {
    bench.keep(key, samples);
  }
  bench.table(
    "A phase with Codex, its model answering at once, in milliseconds",
    [
      "phase",
      "times",
      "bare p50",
      "p95",
      "with backend, gateway, runtime p50",
      "p95",
      "/ bare",
      "in a run p50",
      "p95",
      "/ bare",
    ],
    AGENT_PHASES.map((phase) => {
      const [bare, own, whole] = [of("bare", phase), of("own", phase), of("whole", phase)];
      return [
        phase,
        String(bare.count),
        three(bare.p50),
        three(bare.p95),
        three(own.p50),
        three(own.p95),
        ratio(own.p50, bare.p50),
        three(whole.p50),
        three(whole.p95),
        ratio(whole.p50, bare.p50),
      ];
    }),
  );
}

function keyOf(way: Way, phase: AgentPhase): string {
  return `${phase}, ${way}`;
}

function isAgentPhase(name: string): name is AgentPhase {
  return (AGENT_PHASES as readonly string[]).includes(name);
}
