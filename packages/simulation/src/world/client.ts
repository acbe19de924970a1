import { type AgentPhase, isSpeckitError, Orchestrator } from "@speckit/orchestrator";
import { newId, type Process, startProcess, type World } from "./process.ts";
import { REPOSITORY } from "./services.ts";

const TRY_AGAIN_MS = 1_000;

/** Whoever submits runs and sends commands: patient, and never cut off itself. */
export interface Client {
  /** Asks for a run until it is accepted; through the broker's door or by a call. */
  readonly submit: (asked: {
    readonly onQuestions: "pause" | "assume";
    readonly pauseAfter: readonly AgentPhase[];
  }) => void;
  readonly command: (
    runId: string,
    command: "cancel" | "resume" | "retry" | "answer" | "approve" | "reject",
    more?: object,
  ) => void;
  /** Asks directly for what was lost on its way through the door. */
  readonly askAgain: () => void;
  /** How many of the runs that were asked for are stored. */
  readonly stored: () => number;
  /** Requests and commands that nobody has answered yet. */
  readonly pending: () => number;
  readonly process: Process;
}

export function client(world: World): Client {
  const { scheduler, services, random, oracle } = world;
  const process = startProcess(world, "client");
  const orchestrator = new Orchestrator(process.deps);
  const asked = new Map<string, object>();
  let pending = 0;

  function untilAnswered(label: string, work: () => Promise<unknown>): void {
    pending += 1;
    oracle.asked += 1;
    const again = (): void => {
      work().then(
        () => {
          pending -= 1;
        },
        (error: unknown) => {
          const isAway = isSpeckitError(error) && error.code === "DATABASE_UNAVAILABLE";
          if (isAway) {
            scheduler.after(TRY_AGAIN_MS, label, process, again);
          } else if (isSpeckitError(error)) {
            pending -= 1;
          } else {
            throw error;
          }
        },
      );
    };
    scheduler.after(0, label, process, again);
  }

  const submitDirectly = (request: object): void =>
    untilAnswered("client: submit", () => orchestrator.submit(request));

  return {
    process,
    submit(more) {
      const runId = newId(random);
      const request = {
        schemaVersion: 1,
        runId,
        repository: REPOSITORY,
        specifyText: `Sign in ${asked.size + 1}`,
        ...(more.onQuestions === "pause" ? { onQuestions: "pause" } : {}),
        ...(more.pauseAfter.length === 0 ? {} : { pauseAfter: more.pauseAfter }),
      };
      asked.set(runId, request);
      if (random.chance(0.5)) {
        submitDirectly(request);
        return;
      }
      const body = Buffer.from(JSON.stringify(request), "utf8");
      const copies = random.chance(0.2) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        oracle.asked += 1;
        services.broker.sendRequest({
          kind: "request",
          body,
          replyTo: "client",
          correlationId: runId,
        });
      }
    },
    command(runId, command, more = {}) {
      const commandId = newId(random);
      const body = { schemaVersion: 1, commandId, runId, command, ...more };
      untilAnswered(`client: ${command}`, () => orchestrator.command(body));
    },
    askAgain() {
      for (const [runId, request] of asked) {
        if (services.database.rowsOf(runId) === undefined) {
          submitDirectly(request);
        }
      }
    },
    stored: () => [...asked.keys()].filter((runId) => services.database.rowsOf(runId)).length,
    pending: () => pending,
  };
}
