import { stat } from "node:fs/promises";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { Job, JobRuntime, JobSpec, RuntimeReport } from "../../ports/job-runtime.ts";
import { type Containment, probeContainment } from "./containment.ts";
import { findExecutable } from "./find-executable.ts";
import { keeperSeconds } from "./keeper-script.ts";
import { launchAgent } from "./launch.ts";
import { outputOf } from "./output-of.ts";
import { agentEnvironment, prepareHome } from "./prepare-home.ts";
import { superviseAgent } from "./supervise.ts";

export interface ProcessRuntimeOptions {
  /** Between SIGTERM and SIGKILL when we end an agent: time to write down what it has. Default 2 s. */
  readonly termGraceMs?: number;
  /**
   * `auto` uses a PID namespace where the kernel permits one. `process_group` never does: for
   * machines where that is wanted, and for tests. Default `auto`.
   */
  readonly containment?: "auto" | "process_group";
}

/**
 * Runs agents as processes of this machine, under this user: **no file isolation**, the agent can
 * read and write what the worker can. What it does promise, where {@link RuntimeReport.contained}
 * says so: nothing an agent starts outlives its supervisor (`keeper-script.ts` has the how).
 */
export function processRuntime(options: ProcessRuntimeOptions = {}): JobRuntime {
  const { termGraceMs = 2_000, containment = "auto" } = options;
  let probed: Promise<Containment> | undefined;
  const probe = () => {
    probed ??= probeContainment().then((found) =>
      containment === "process_group" && found.kind === "pid_namespace"
        ? { kind: "process_group", bash: found.tools.bash, why: "by configuration" }
        : found,
    );
    return probed;
  };

  return {
    report: async () => describe(await probe()),
    outputOf,
    foldersInJob: (folders) => folders,
    prepare: async (asked) => {
      const spec = { ...asked, env: agentEnvironment(asked) };
      await checkWorkspace(spec);
      await prepareHome(spec);
      const executable = await findExecutable(spec);
      const found = await probe();
      return {
        async start(listener, limits, { end, letGo }) {
          // An agent of this machine does not outlive its worker: to let go of it is to end it.
          const signal = AbortSignal.any([end, letGo]);
          if (signal.aborted) {
            return neverStarted("abort");
          }
          if (Number(keeperSeconds(limits.keepAliveMs)) === 0) {
            return neverStarted("keep_alive");
          }
          const startedMs = performance.now();
          const agent = await launchAgent(found, spec, executable, limits.keepAliveMs);
          return superviseAgent({ agent, spec, listener, limits, signal, termGraceMs, startedMs });
        },
      };
    },
  };
}

function describe(containment: Containment): RuntimeReport {
  if (containment.kind === "process_group") {
    return {
      name: "process",
      isolation:
        "process group, no file isolation; what an agent detaches (setsid) can outlive speckit " +
        `(no PID namespace: ${containment.why})`,
      contained: false,
    };
  }
  const proc = containment.ownProc ? "" : " (sees the machine's /proc)";
  return {
    name: "process",
    isolation: `process in its own PID namespace${proc}, no file isolation`,
    contained: true,
  };
}

async function checkWorkspace(spec: JobSpec): Promise<void> {
  const facts = await stat(spec.workspace).catch(() => undefined);
  if (!facts?.isDirectory()) {
    throw new SpeckitError(
      "INTERNAL_ERROR",
      `The workspace of run ${spec.runId} is not a folder: ${spec.workspace}`,
    );
  }
}

/** A job that was ended before it began. */
function neverStarted(endedBy: "abort" | "keep_alive"): Job {
  return {
    exit: Promise.resolve({
      exitCode: null,
      signal: null,
      endedBy,
      durationMs: 0,
      stderrTail: "",
    }),
    keepAlive: () => {},
  };
}
