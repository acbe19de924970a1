import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Failure } from "../../domain/failure.ts";
import type { AgentPhase } from "../../domain/phase.ts";
import { instructionsText } from "../../domain/spec-kit/instructions-text.ts";
import type { PhaseOutput } from "../../domain/verify/phase-output.ts";
import type {
  AgentBackend,
  AgentCommand,
  AgentEvent,
  AgentPrompt,
} from "../../ports/agent-backend.ts";
import type { JobExit, JobRuntime } from "../../ports/job-runtime.ts";
import type { ModelAccess } from "../../ports/model-gateway.ts";

export const SUITE_RUN_ID = "0197f0a0-0000-7000-8000-000000000001";
export const SUITE_DIRECTORY = "specs/001-add-oauth-login";

/** What one attempt of an agent came to. */
export interface CarriedOut {
  readonly command: AgentCommand;
  readonly exit: JobExit;
  readonly stdout: string;
  readonly stderr: string;
  readonly events: readonly AgentEvent[];
  readonly failure: Failure | undefined;
  /** What it left, as git would tell it. */
  readonly output: PhaseOutput;
}

const skillPath = (phase: AgentPhase) => `.agents/skills/speckit-${phase}/SKILL.md`;

/** Carries out one phase in `<folder>/workspace`, as a worker would, but for git and the database. */
export async function carryOutPhase(
  {
    backend,
    runtime,
    access,
  }: {
    readonly backend: AgentBackend;
    readonly runtime: JobRuntime;
    readonly access?: ModelAccess | undefined;
  },
  folder: string,
  phase: AgentPhase,
  more: Partial<AgentPrompt> & { readonly attempt?: number; readonly silenceMs?: number } = {},
): Promise<CarriedOut> {
  const { attempt = 1, silenceMs = 50_000, ...asked } = more;
  const workspace = join(folder, "workspace");
  const home = join(folder, `home-${phase}-${attempt}`);
  await mkdir(home, { recursive: true });
  const before = await readTree(workspace);
  const at = { runId: SUITE_RUN_ID, phase, attempt, workspace, home };
  const command = backend.command(
    { ...suitePrompt(phase, before.get(skillPath(phase)) ?? ""), ...asked },
    { ...at, choice: {}, access },
  );
  const reader = backend.reader(workspace);
  const events: AgentEvent[] = [];
  let stdout = "";
  let stderr = "";
  const modelEnd = new AbortController();
  let endedByModel: Failure | undefined;
  void access?.ended.then((failed) => {
    endedByModel = failed;
    modelEnd.abort();
  });
  const prepared = await runtime.prepare(
    {
      ...command,
      ...at,
      ...(backend.sessionFolders === undefined ? {} : { keep: backend.sessionFolders }),
    },
    modelEnd.signal,
  );
  const job = await prepared.start(
    {
      onStdout: async (piece) => {
        stdout += Buffer.from(piece).toString();
      },
      onStderr: async (piece) => {
        stderr += Buffer.from(piece).toString();
      },
      onLine: (line, tail) => void events.push(...reader.read(line, tail)),
    },
    { deadlineMs: 50_000, silenceMs, keepAliveMs: 55_000 },
    { end: modelEnd.signal, letGo: new AbortController().signal },
  );
  const exit = await job.exit;
  const failure =
    endedByModel ?? reader.classify({ ...exit, calls: (await access?.report())?.calls ?? [] });
  const output = difference(before, await readTree(workspace));
  return { command, exit, stdout, stderr, events, failure, output };
}

export function suitePrompt(phase: AgentPhase, skill: string): AgentPrompt {
  return {
    phase,
    instructions: {
      kind: "skill",
      name: `speckit-${phase}`,
      path: skillPath(phase),
      text: instructionsText("SKILL.md", skill),
    },
    arguments: phase === "specify" ? "Add OAuth login" : "",
    projectDirectory: "",
    featureDirectory: SUITE_DIRECTORY,
    environment: { SPECIFY_FEATURE_DIRECTORY: SUITE_DIRECTORY },
    skillNames: [],
    hooks: "none",
    findings: [],
    answers: [],
    comments: [],
    mayAsk: false,
  };
}

export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** Without `.git`: an agent's own business. */
async function readTree(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    if (entry.isFile() && !name.startsWith(".git/")) {
      files.set(name, await readFile(path, "utf8"));
    }
  }
  return files;
}

function difference(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): PhaseOutput {
  const kindOf = (path: string) =>
    before.has(path) ? (after.has(path) ? "changed" : "removed") : "added";
  return {
    featureDirectory: SUITE_DIRECTORY,
    read: (path) => after.get(path),
    changed: [...new Set([...before.keys(), ...after.keys()])]
      .filter((path) => before.get(path) !== after.get(path))
      .map((path) => ({ path, kind: kindOf(path) })),
  };
}
