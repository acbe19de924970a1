import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { scriptedBackend } from "../../../../src/adapters/agents/index.ts";
import { processRuntime } from "../../../../src/adapters/process/index.ts";
import type { AgentPhase } from "../../../../src/domain/phase.ts";
import { skillName, skillPath } from "../../../../src/domain/skill.ts";
import type { PhaseOutput } from "../../../../src/domain/verify/phase-output.ts";
import type { AgentEvent } from "../../../../src/ports/agent-backend.ts";
import type { JobExit } from "../../../../src/ports/job-runtime.ts";

export const DIRECTORY = "specs/001-add-oauth-login";
export const RUN_ID = "0197f0a0-0000-7000-8000-000000000001";

const runtime = processRuntime({ termGraceMs: 200 });

export interface Scripted {
  readonly exit: JobExit;
  readonly stdout: string;
  readonly stderr: string;
  readonly events: readonly AgentEvent[];
  readonly output: PhaseOutput;
}

export async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

async function readTree(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), await readFile(path, "utf8"));
  }
  return files;
}

/** Runs one phase of the scripted agent in `<folder>/repo` and tells what it left, as git would. */
export async function runScripted(
  folder: string,
  phase: AgentPhase,
  more: { readonly sentence?: string; readonly attempt?: number } = {},
): Promise<Scripted> {
  const { sentence = "Add OAuth login", attempt = 1 } = more;
  const workspace = join(folder, "repo");
  const home = join(folder, "home");
  const before = await readTree(workspace);
  const backend = scriptedBackend();
  const command = backend.command(
    {
      phase,
      skill: {
        name: skillName(phase),
        path: skillPath(phase),
        text: before.get(skillPath(phase)) ?? "",
      },
      arguments: phase === "specify" ? sentence : "",
      featureDirectory: DIRECTORY,
      findings: [],
      answers: [],
      comments: [],
      mayAsk: false,
    },
    { runId: RUN_ID, phase, attempt, workspace, home },
  );
  const reader = backend.reader();
  const events: AgentEvent[] = [];
  let stdout = "";
  let stderr = "";
  const job = await runtime.start(
    {
      ...command,
      runId: RUN_ID,
      phase,
      attempt,
      workspace,
      home,
      deadlineMs: 20_000,
      silenceMs: 20_000,
      keepAliveMs: 30_000,
    },
    {
      onStdout: async (piece) => {
        stdout += Buffer.from(piece).toString();
      },
      onStderr: async (piece) => {
        stderr += Buffer.from(piece).toString();
      },
      onLine: (line) => void events.push(...reader.read(line)),
    },
    new AbortController().signal,
  );
  const exit = await job.exit;
  const after = await readTree(workspace);
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  const changed = paths
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => ({
      path,
      kind: !before.has(path)
        ? ("added" as const)
        : after.has(path)
          ? ("changed" as const)
          : ("removed" as const),
    }));
  const output = { featureDirectory: DIRECTORY, read: (path: string) => after.get(path), changed };
  return { exit, stdout, stderr, events, output };
}
