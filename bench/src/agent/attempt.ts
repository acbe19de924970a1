import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AgentBackend, AgentCommand, AgentPhase, ModelAccess } from "@speckit/orchestrator";
import { sampleProjectFiles } from "@speckit/orchestrator/sample-project";
import { execa } from "execa";
import type { CodexWorker } from "./codex-worker.ts";

const RUN_ID = "0197f0a0-0000-7000-8000-00000000be9c";
const FEATURE_DIRECTORY = "specs/001-add-oauth-login";
const PATIENCE_MS = 120_000;

/** Where an attempt takes place: folders of its own, made before it is measured. */
export interface Place {
  readonly workspace: string;
  readonly home: string;
}

/** A new workspace with the sample project in it. */
export async function newWorkspace(folder: string): Promise<string> {
  const workspace = join(folder, "workspace");
  await writeAll(workspace, sampleProjectFiles());
  return workspace;
}

/** A new HOME beside it. */
export async function newHome(folder: string, name: string): Promise<string> {
  const home = join(folder, `home-${name}`);
  await mkdir(home, { recursive: true });
  return home;
}

/** Codex called by hand: the same program, arguments, configuration and prompt, straight at the provider. */
export async function bareAttempt(command: AgentCommand, { workspace, home }: Place) {
  const [file, ...args] = command.argv;
  const { stdout } = await execa(file, args, {
    cwd: workspace,
    env: { PATH: process.env.PATH ?? "", HOME: home, LANG: "C.UTF-8", ...command.env },
    extendEnv: false,
    input: command.stdin,
    timeout: PATIENCE_MS,
  });
  return stdout;
}

/** The same as a worker does it: with its own way to the model, its runtime, and every line read. */
export async function ownAttempt(
  { backend, runtime, gateway }: CodexWorker,
  phase: AgentPhase,
  place: Place,
): Promise<void> {
  const at = { runId: RUN_ID, phase, attempt: 1 };
  await using access = await gateway.open({ ...at, expiresInMs: PATIENCE_MS, limits: {} });
  const command = commandOf(backend, phase, place, access);
  const reader = backend.reader(place.workspace);
  const never = new AbortController().signal;
  const prepared = await runtime.prepare(
    { ...at, ...place, ...command, keep: backend.sessionFolders ?? [] },
    never,
  );
  const job = await prepared.start(
    {
      onStdout: async () => {},
      onStderr: async () => {},
      onLine: (line, tail) => void reader.read(line, tail),
    },
    { deadlineMs: PATIENCE_MS, silenceMs: PATIENCE_MS, keepAliveMs: PATIENCE_MS },
    { end: never, letGo: never },
  );
  const failed = reader.classify({ ...(await job.exit), calls: (await access.report()).calls });
  if (failed !== undefined) {
    throw new Error(`${failed.code}: ${failed.message}`);
  }
}

/** What Codex is called with. */
export function commandOf(
  backend: AgentBackend,
  phase: AgentPhase,
  { workspace, home }: Place,
  access: Pick<ModelAccess, "baseUrl" | "token">,
): AgentCommand {
  const name = `speckit-${phase}`;
  const path = `.agents/skills/${name}/SKILL.md`;
  return backend.command(
    {
      phase,
      instructions: { kind: "skill", name, path, text: sampleProjectFiles()[path] ?? "" },
      arguments: phase === "specify" ? "Add OAuth login" : "",
      projectDirectory: "",
      featureDirectory: FEATURE_DIRECTORY,
      environment: { SPECIFY_FEATURE_DIRECTORY: FEATURE_DIRECTORY },
      skillNames: [],
      hooks: "none",
      findings: [],
      answers: [],
      comments: [],
      mayAsk: false,
    },
    { runId: RUN_ID, phase, attempt: 1, workspace, home, choice: {}, access },
  );
}

export async function writeAll(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}
