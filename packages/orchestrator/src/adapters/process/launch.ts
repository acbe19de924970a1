import type { Readable, Writable } from "node:stream";
import { execa } from "execa";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { JobSpec } from "../../ports/job-runtime.ts";
import { type Containment, intoNamespace, openNamespace } from "./containment.ts";
import { exitOf, type ProcessExit } from "./exit-of.ts";
import { type Keeper, openKeeper } from "./keeper.ts";
import { groupGone } from "./live-group.ts";
import { workingDirectory } from "./working-directory.ts";

/** errno names that say the executable, its arguments or environment can never be started. */
const NEVER_STARTS = new Set(["ENOENT", "EACCES", "EPERM", "ENOEXEC", "ELOOP", "ENOTDIR", "E2BIG"]);
/** See {@link passOn}. */
const PASS_ON_EVERY_MS = 100;

/** A started agent, with what ends it and tells its end. */
export interface Launched {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly keeper: Keeper;
  /** The main process's end. */
  readonly ended: Promise<ProcessExit>;
  /** Ends the main process and everything we can reach. Safe to repeat. */
  readonly kill: () => void;
  /** Settles when all that is gone. Call after `kill`. */
  readonly allGone: () => Promise<void>;
}

/**
 * Starts the agent under a keeper. With a namespace the keeper comes first; without one it needs the
 * agent's process group, so for the few milliseconds between the two nobody watches a supervisor
 * that dies: part of what `contained: false` means.
 *
 * @param executable absolute path
 * @throws SpeckitError `AGENT_NOT_STARTED`, or `INTERNAL_ERROR` when the machine is short of something
 */
export async function launchAgent(
  containment: Containment,
  spec: JobSpec,
  executable: string,
  keepAliveMs: number,
): Promise<Launched> {
  const argv = [executable, ...spec.argv.slice(1)] as [string, ...string[]];
  if (containment.kind === "pid_namespace") {
    const keeper = await openNamespace(containment, keepAliveMs);
    try {
      const child = await spawn(
        intoNamespace(containment, keeper, workingDirectory(spec), argv),
        "/",
        spec,
      );
      return {
        ...child,
        keeper,
        kill: () => {
          keeper.close();
          passOn(child);
        },
        allGone: async () => void (await keeper.gone),
      };
    } catch (error) {
      keeper.close();
      await keeper.gone;
      throw error;
    }
  }
  const child = await spawn(argv, workingDirectory(spec), spec);
  const group = -child.pid;
  try {
    const keeper = await openKeeper({
      launch: [],
      bash: containment.bash,
      target: String(group),
      keepAliveMs,
    });
    return {
      ...child,
      keeper,
      kill: () => {
        keeper.close();
        signalTo(group, "SIGKILL");
      },
      allGone: async () => {
        await keeper.gone;
        await groupGone(child.pid);
      },
    };
  } catch (error) {
    signalTo(group, "SIGKILL");
    throw error;
  }
}

/**
 * Keeps `nsenter` awake until it has passed on the agent's end. It stops itself when the agent is
 * stopped, and then would never bury it; and without that the namespace is never empty. It is not
 * killed instead: its child would then fall to the machine's init, which a container may not have.
 */
function passOn(child: { readonly pid: number; readonly ended: Promise<ProcessExit> }): void {
  signalTo(child.pid, "SIGCONT");
  const timer = setInterval(() => signalTo(child.pid, "SIGCONT"), PASS_ON_EVERY_MS);
  void child.ended.then(() => clearInterval(timer));
}

async function spawn(command: readonly [string, ...string[]], cwd: string, spec: JobSpec) {
  const [file, ...rest] = command;
  const child = execa(file, rest, {
    cwd,
    // The only place secrets are in. `nsenter`, which waits for the agent, has the same environment.
    env: { ...spec.env, ...spec.secrets },
    extendEnv: false,
    // A session and process group of its own, away from the terminal's signals.
    detached: true,
    cleanup: false,
    buffer: false,
    reject: false,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) {
    const result = await child;
    const code = result.code ?? "unknown";
    throw new SpeckitError(
      NEVER_STARTS.has(code) ? "AGENT_NOT_STARTED" : "INTERNAL_ERROR",
      `The agent's executable ${JSON.stringify(spec.argv[0])} could not be started (${code})`,
      { cause: result.cause },
    );
  }
  // Nobody reads yet, and both execa and Node let output flow away that nobody reads.
  child.stdout.on("readable", () => {});
  child.stderr.on("readable", () => {});
  // Its input may be closed before we have written everything: the agent's business.
  child.stdin.on("error", () => {});
  const ended = exitOf(child.nodeChildProcess);
  const { stdin, stdout, stderr } = child;
  return { pid, stdin, stdout, stderr, ended };
}

/** A process that is gone already is fine. */
function signalTo(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}
