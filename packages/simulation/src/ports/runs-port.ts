import { type RunRepository, SpeckitError } from "@speckit/orchestrator";
import { memoryRunRepository } from "@speckit/orchestrator/testing";
import type { Process, World } from "../world/process.ts";

/** How long after the loss of its session a worker tries to get another. */
const RECONNECT_MS = 1_000;

/** The database as one process reaches it. Each statement is one request, one effect, one answer. */
export function runsPort(world: World, process: Omit<Process, "deps">): RunRepository {
  const { scheduler, services, oracle, mutations } = world;
  const plain = memoryRunRepository(services.database);
  const inner = mutations.runs?.(plain, { ...world, process }) ?? plain;
  const lostWith = (): unknown =>
    new SpeckitError("DATABASE_UNAVAILABLE", "PostgreSQL: the connection is lost");

  const port: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(inner)) {
    const work = method as (...args: unknown[]) => Promise<unknown>;
    port[name] = (...args: unknown[]) => {
      const sentMs = scheduler.nowMs();
      return process.links.database
        .call(
          `runs.${name}`,
          () => {
            oracle.onStatement({ name, args, process });
            return work(...args);
          },
          lostWith,
        )
        .then((answer) => {
          oracle.onAnswer({ name, args, answer, sentMs, process });
          return answer;
        });
    };
  }
  const runs = port as unknown as RunRepository;
  return {
    ...runs,
    registerWorker: async (hostname) => {
      process.workerId = await runs.registerWorker(hostname);
      return process.workerId;
    },
    holdSession: async (workerId) => {
      process.session.isWanted = true;
      keepSession(world, process, workerId);
      // The real one tries once before it lets the worker begin, whatever comes of it.
      await scheduledPause(world, process);
      return {
        [Symbol.asyncDispose]: async () => {
          process.session.isWanted = false;
          process.session.isHeld = false;
          process.links.database.send("session: closed", () => {
            services.database.endSession(workerId);
          });
        },
      };
    },
  };
}

function scheduledPause({ scheduler }: World, process: Omit<Process, "deps">): Promise<void> {
  return new Promise((resolve) => {
    scheduler.after(5, "session: tried", process, resolve);
  });
}

/** Takes the session lock whenever it is wanted and not held, and the database can be reached. */
export function keepSession(world: World, process: Omit<Process, "deps">, workerId: number): void {
  const { scheduler, services } = world;
  const again = (): void => {
    scheduler.after(RECONNECT_MS, "session: again", process, () =>
      keepSession(world, process, workerId),
    );
  };
  if (!process.session.isWanted || process.session.isHeld) {
    return;
  }
  process.links.database
    .call(
      "session: taken",
      async () => {
        if (process.isAlive && process.session.isWanted) {
          services.database.takeSession(workerId);
          process.session.isHeld = true;
        }
      },
      () => new Error("not reached"),
    )
    .catch(again);
}
