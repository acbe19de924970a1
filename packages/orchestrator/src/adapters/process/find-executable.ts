import { access, constants, open, stat } from "node:fs/promises";
import { basename, isAbsolute, join, resolve } from "node:path";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { JobSpec } from "../../ports/job-runtime.ts";

/** Where `execvp` looks when there is no PATH. */
const DEFAULT_PATH = "/usr/bin:/bin";

/**
 * Absolute path of the agent's executable, looked up as the agent's own environment says, never in
 * the workspace: empty and relative entries of PATH are skipped.
 *
 * Everything that can be known before the start is checked here, the interpreter of a script
 * included, so that a missing program is told as such and not as an agent that failed with 127.
 *
 * @throws SpeckitError `AGENT_NOT_STARTED` naming it
 */
export async function findExecutable(
  spec: Pick<JobSpec, "argv" | "env" | "workspace">,
): Promise<string> {
  const name = spec.argv[0];
  const path = await lookUp(name, spec);
  if (path === undefined) {
    const searched = spec.env.PATH ?? DEFAULT_PATH;
    throw notStarted(`The agent's executable ${quote(name)} was not found in PATH (${searched})`);
  }
  const facts = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw notStarted(`The agent's executable ${quote(path)} cannot be read (${cause.code})`, cause);
  });
  if (!facts.isFile()) {
    throw notStarted(`The agent's executable ${quote(path)} is not a file`);
  }
  if (!(await isExecutable(path))) {
    throw notStarted(`The agent's executable ${quote(path)} may not be executed`);
  }
  const missing = await missingInterpreter(path, spec);
  if (missing !== undefined) {
    throw notStarted(
      `The agent's executable ${quote(path)} needs the interpreter ${quote(missing)}, which was not found`,
    );
  }
  return path;
}

async function lookUp(
  name: string,
  spec: Pick<JobSpec, "env" | "workspace">,
): Promise<string | undefined> {
  if (name.includes("/")) {
    return resolve(spec.workspace, name);
  }
  for (const folder of (spec.env.PATH ?? DEFAULT_PATH).split(":")) {
    const path = join(folder, name);
    if (name !== "" && isAbsolute(folder) && (await isExecutable(path))) {
      const facts = await stat(path);
      if (facts.isFile()) {
        return path;
      }
    }
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The interpreter a `#!` line names and this machine lacks; for `env`, the program it looks up. */
async function missingInterpreter(
  path: string,
  spec: Pick<JobSpec, "env" | "workspace">,
): Promise<string | undefined> {
  const line = await firstLine(path);
  const [interpreter, argument] = /^#![ \t]*(\S+)(?:[ \t]+(\S+))?/.exec(line)?.slice(1) ?? [];
  if (interpreter === undefined) {
    return undefined;
  }
  if (!(await isExecutable(resolve(spec.workspace, interpreter)))) {
    return interpreter;
  }
  const isLookUp = basename(interpreter) === "env" && argument !== undefined;
  if (isLookUp && !argument.startsWith("-") && !argument.includes("=")) {
    return (await lookUp(argument, spec)) === undefined ? argument : undefined;
  }
  return undefined;
}

async function firstLine(path: string): Promise<string> {
  // An executable that may not be read can still be run.
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) {
    return "";
  }
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.toString("latin1", 0, bytesRead).split("\n", 1)[0] ?? "";
  } finally {
    await file.close();
  }
}

function notStarted(message: string, cause?: unknown): SpeckitError {
  return new SpeckitError("AGENT_NOT_STARTED", message, { cause });
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 300));
}
