import { type ArtifactVerdict, type ExitCode, SpeckitError } from "@speckit/orchestrator";
import { openSession } from "../../open-session.ts";
import { visible } from "../../output/visible.ts";

const SAID = {
  intact: "as on record",
  damaged: "not as on record",
  live: "not over yet, not looked at",
  deleted: "deleted, their time was over",
} as const;

/**
 * `speckit artifacts verify`: whether every file is as it is on record, and nothing else is there.
 *
 * @returns 1 when something is otherwise
 */
export async function artifactsVerifyCommand(
  runId: string | undefined,
  options: { readonly all?: boolean; readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  if ((runId === undefined) === (options.all !== true)) {
    throw new SpeckitError("REQUEST_INVALID", "expected a run id, or --all", {
      remedy: "`npx speckit help artifacts` shows how it is called.",
    });
  }
  await using session = await openSession(options);
  const verdicts =
    runId === undefined
      ? session.orchestrator.verifyAllArtifacts()
      : [await session.orchestrator.verifyArtifacts(runId)];
  const told: ArtifactVerdict[] = [];
  const sum = { runs: 0, artifacts: 0, bytes: 0, damaged: 0 };
  for await (const verdict of verdicts) {
    sum.runs += 1;
    sum.artifacts += verdict.artifacts;
    sum.bytes += verdict.bytes;
    sum.damaged += verdict.state === "damaged" ? 1 : 0;
    if (runId !== undefined || verdict.state === "damaged") {
      told.push(verdict);
    }
  }
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ ...sum, verdicts: told })}\n`
      : `${[...told.flatMap(linesOf), ...(runId === undefined ? [lineOf(sum)] : [])].join("\n")}\n`,
  );
  return sum.damaged === 0 ? 0 : 1;
}

function linesOf({
  runId,
  state,
  artifacts,
  problems,
  leftovers,
}: ArtifactVerdict): readonly string[] {
  return [
    `run ${runId}: ${artifacts} artifacts, ${SAID[state]}`,
    ...problems.map(({ name, problem, detail }) => visible(`  ${problem}  ${name}: ${detail}`)),
    ...leftovers.map((name) => visible(`  left  ${name}: of an attempt that did not succeed`)),
    ...(problems.some(({ problem }) => problem === "missing")
      ? ["  Artifacts lie on the host whose worker wrote them: is this that host, or its volume?"]
      : []),
  ];
}

function lineOf(sum: {
  readonly runs: number;
  readonly artifacts: number;
  readonly bytes: number;
  readonly damaged: number;
}): string {
  return `${counted(sum.runs, "run")}, ${counted(sum.artifacts, "artifact")}, ${sum.bytes} bytes: ${sum.damaged === 0 ? "all as on record" : `${sum.damaged} runs are not as on record`}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
