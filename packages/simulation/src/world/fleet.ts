import { Orchestrator, type RunningWorker } from "@speckit/orchestrator";
import { keepSession } from "../ports/runs-port.ts";
import type { Service } from "./link.ts";
import { type Process, startProcess, type World } from "./process.ts";

/** How soon a dead process is noticed by the services it was connected to, at the latest. */
export type Notice = "at_once" | "late";

export interface FleetOptions {
  readonly slots: number;
}

/** The workers: started, killed, frozen, cut off and drained. */
export interface Fleet {
  readonly living: () => readonly Process[];
  /** Lives, does not stop, is not frozen, and reaches both services. */
  readonly isHealthy: (process: Process) => boolean;
  readonly start: () => void;
  readonly kill: (process: Process, notice: Notice) => void;
  readonly drain: (process: Process) => void;
  readonly cut: (process: Process, services: readonly Service[], forMs: number) => void;
  readonly heal: (process: Process) => void;
  readonly loseSession: (process: Process) => void;
  /** The database server restarts: nobody has a session any more. */
  readonly restartDatabase: (awayMs: number) => void;
  readonly restartBroker: (awayMs: number) => void;
  /** The end of the world: nothing that was begun goes on. */
  readonly stop: () => void;
}

/** A worker that could not start, or was drained, is started anew by whoever watches it. */
const START_AGAIN_MS = 5_000;

export function fleet(world: World, { slots }: FleetOptions): Fleet {
  const { scheduler, services, random } = world;
  const processes = new Set<Process>();
  const running = new Map<Process, RunningWorker>();
  const draining = new Set<Process>();
  let count = 0;

  const living = (): readonly Process[] => [...processes];

  function start(): void {
    count += 1;
    const process = startProcess(world, `w${count}`);
    processes.add(process);
    new Orchestrator(process.deps).work({ slots, hostname: process.name }).then(
      (worker) => void running.set(process, worker),
      () => {
        end(process, "at_once");
        scheduler.after(START_AGAIN_MS, "a worker is started", undefined, start);
      },
    );
  }

  /** The process is gone; the services hear of its connections' end now or later. */
  function end(process: Process, notice: Notice): void {
    if (!process.isAlive) {
      return;
    }
    process.isAlive = false;
    processes.delete(process);
    running.delete(process);
    for (const job of process.agents) {
      job.kill();
    }
    const withinMs = notice === "late" ? 120_000 : 200;
    const { workerId } = process;
    if (workerId !== undefined) {
      scheduler.after(random.between(0, withinMs), "session: ended by death", undefined, () =>
        services.database.endSession(workerId),
      );
    }
    for (const connection of process.connections) {
      scheduler.after(random.between(0, withinMs), "broker: connection died", undefined, () =>
        services.broker.drop(connection),
      );
    }
  }

  function loseSession(process: Process): void {
    const { workerId } = process;
    if (workerId !== undefined && process.session.isHeld) {
      services.database.endSession(workerId);
      process.session.isHeld = false;
      keepSessionLater(process, workerId);
    }
  }

  function keepSessionLater(process: Process, workerId: number): void {
    scheduler.after(1_000, "session: again", process, () => keepSession(world, process, workerId));
  }

  function heal(process: Process): void {
    const wasCutFromBroker = process.cutFrom.has("broker");
    process.cutFrom.clear();
    if (wasCutFromBroker) {
      for (const connection of process.connections) {
        services.broker.drop(connection);
      }
    }
    if (process.workerId !== undefined && !process.session.isHeld) {
      keepSessionLater(process, process.workerId);
    }
  }

  return {
    living,
    isHealthy: (process) =>
      process.isAlive &&
      !draining.has(process) &&
      process.cutFrom.size === 0 &&
      process.frozenUntilMs <= scheduler.nowMs(),
    start,
    kill: end,
    drain(process) {
      const worker = running.get(process);
      if (worker === undefined) {
        end(process, "at_once");
        return;
      }
      draining.add(process);
      void worker.drain().then(() => end(process, "at_once"));
    },
    cut(process, from, forMs) {
      for (const service of from) {
        process.cutFrom.add(service);
      }
      const noticed = (what: () => void): void => {
        scheduler.after(random.between(0, 60_000), "a cut is noticed", undefined, what);
      };
      if (from.includes("database")) {
        noticed(() => {
          if (process.cutFrom.has("database") && process.workerId !== undefined) {
            services.database.endSession(process.workerId);
            process.session.isHeld = false;
          }
        });
      }
      if (from.includes("broker")) {
        noticed(() => {
          for (const connection of process.cutFrom.has("broker") ? process.connections : []) {
            services.broker.drop(connection);
          }
        });
      }
      scheduler.after(forMs, `${process.name} is healed`, undefined, () => {
        if (!process.keepsCut) {
          heal(process);
        }
      });
    },
    heal,
    loseSession,
    restartDatabase(awayMs) {
      services.away.database = true;
      services.database.restart();
      for (const process of processes) {
        process.session.isHeld = false;
      }
      scheduler.after(awayMs, "the database is back", undefined, () => {
        services.away.database = false;
        for (const process of processes) {
          if (process.workerId !== undefined) {
            keepSessionLater(process, process.workerId);
          }
        }
      });
    },
    restartBroker(awayMs) {
      services.away.broker = true;
      for (const process of processes) {
        for (const connection of process.connections) {
          services.broker.drop(connection);
        }
      }
      scheduler.after(awayMs, "the broker is back", undefined, () => {
        services.away.broker = false;
      });
    },
    stop() {
      for (const process of processes) {
        process.isAlive = false;
      }
    },
  };
}
