import { secretMasker } from "../../domain/secret-forms.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { JobEnd, JobSpec } from "../../ports/job-runtime.ts";
import type { MemoryEngineOptions } from "./memory-engine.ts";
import type { Program } from "./memory-job-runtime.ts";

export interface Printed {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

/** How a container's program came to its end. */
export interface ContainerEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly endedBy?: JobEnd;
}

/** One container: a program as data that goes on by itself, and all it has printed. */
export interface MemoryContainer {
  readonly spec: JobSpec;
  /** Its workspace: files by path. */
  readonly volume: ReadonlyMap<string, string>;
  readonly containerId: string;
  readonly createdMs: number;
  readonly state: () => "created" | "running" | "exited" | "removed";
  readonly printed: readonly Printed[];
  /** Undefined while it has not ended. */
  readonly end: () => ContainerEnd | undefined;
  /** Starts one that was created; does nothing to one that runs, and asks for a ticket again of one that has ended. */
  readonly start: () => void;
  /** SIGTERM, or SIGKILL. */
  readonly signal: (name: "SIGTERM" | "SIGKILL") => void;
  readonly stopWithEngine: () => void;
  readonly remove: () => void;
  /** Calls back whenever it has printed or ended, until the returned function is called. */
  readonly onChange: (listener: () => void) => () => void;
}

export function memoryContainer(
  {
    timers,
    find,
    useTicket = async () => true,
    isLive = () => true,
    livenessMs = 100,
    onStart,
  }: MemoryEngineOptions,
  spec: JobSpec,
  volume: Map<string, string>,
  containerId: string,
): MemoryContainer {
  const program = find(spec, volume);
  if (program === undefined) {
    throw new SpeckitError("AGENT_NOT_STARTED", `There is no program ${spec.argv[0]}`);
  }
  const mask = secretMasker(Object.values(spec.secrets ?? {}));
  const printed: Printed[] = [];
  const listeners = new Set<() => void>();
  let state: ReturnType<MemoryContainer["state"]> = "created";
  let end: ContainerEnd | undefined;
  let forgetStep = (): void => {};
  let forgetLook = (): void => {};
  const look = (): void => {
    if (isLive(spec)) {
      forgetLook = timers.after(livenessMs, look);
    } else {
      over({ exitCode: 95, signal: null, endedBy: "fenced" });
    }
  };
  const tell = (): void => {
    for (const listener of listeners) {
      listener();
    }
  };
  const over = (how: ContainerEnd): void => {
    if (state === "running") {
      state = "exited";
      end = how;
      forgetStep();
      forgetLook();
      tell();
    }
  };
  const next = (steps: Program["steps"], ix: number): void => {
    const step = steps[ix];
    if (step === undefined) {
      if (program.ends !== "never") {
        over({ exitCode: program.ends, signal: null });
      }
      return;
    }
    forgetStep = timers.after(step.afterMs, () => {
      step.act?.();
      for (const stream of ["stdout", "stderr"] as const) {
        const text = step[stream];
        if (text !== undefined) {
          printed.push({ stream, text: mask(text) });
        }
      }
      tell();
      next(steps, ix + 1);
    });
  };
  const begin = async (): Promise<void> => {
    const isGranted = await useTicket(spec).catch(() => false);
    if (state !== "running") {
      return;
    }
    if (!isGranted) {
      over({ exitCode: 97, signal: null, endedBy: "start_refused" });
      return;
    }
    onStart?.(spec);
    forgetLook = timers.after(livenessMs, look);
    next(program.steps, 0);
  };

  return {
    spec,
    volume,
    containerId,
    createdMs: timers.nowMs(),
    state: () => state,
    printed,
    end: () => end,
    start() {
      if (state === "created" || state === "exited") {
        state = "running";
        end = undefined;
        void begin();
      }
    },
    signal(name) {
      if (name === "SIGKILL" || program.isStubborn !== true) {
        over({ exitCode: null, signal: name });
      }
    },
    stopWithEngine: () => over({ exitCode: 137, signal: null, endedBy: "engine_stopped" }),
    remove() {
      over({ exitCode: 137, signal: null, endedBy: "engine_stopped" });
      state = "removed";
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
