import { makeSampleRemote } from "@speckit/orchestrator/sample-project";

/** Runs that end differently, by the repository they are for. */
export interface KindOfRun {
  readonly name: string;
  readonly remote: string;
  readonly outcome: "succeeded" | "failed";
}

/** What the agents do in the phase plan, beside what they do in every phase. */
const KINDS = [
  { name: "plain", outcome: "succeeded", plan: {} },
  // Its first attempt at plan leaves a document out, and is told so.
  {
    name: "repaired",
    outcome: "succeeded",
    plan: { onlyAttempts: [1], omit: ["research.md"] },
  },
  // Its plan is never whole, until the budget for that is spent.
  { name: "failing", outcome: "failed", plan: { omit: ["research.md"] } },
] as const;

/** Of ten runs. */
const PLAIN = 7;
const REPAIRED = 2;

/** @param always what every agent does, in the words of the scripted agent */
export async function kindsOfRuns(
  folder: string,
  always: object,
): Promise<(ix: number) => KindOfRun> {
  const kinds = await Promise.all(
    KINDS.map(async ({ name, outcome, plan }): Promise<KindOfRun> => {
      const phases = ["specify", "plan", "tasks"] as const;
      const told = Object.fromEntries(
        phases.map((phase) => [phase, [{ ...always, ...(phase === "plan" ? plan : {}) }, always]]),
      );
      const remote = await makeSampleRemote(`${folder}/${name}`, {
        ".scripted-agent.json": JSON.stringify(told),
      });
      return { name, remote, outcome };
    }),
  );
  const [plain, repaired, failing] = kinds as [KindOfRun, KindOfRun, KindOfRun];
  return (ix) => {
    const place = ix % 10;
    return place < PLAIN ? plain : place < PLAIN + REPAIRED ? repaired : failing;
  };
}
