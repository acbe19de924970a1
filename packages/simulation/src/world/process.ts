import { DEFAULT_SETTINGS, type Dependencies, type Settings } from "@speckit/orchestrator";
import {
  type BrokerConnection,
  type MemoryMachine,
  memoryArtifactStore,
  memoryMachine,
  memoryRunStatistics,
  memoryRunSurroundings,
  openMemoryTransport,
  type StartedJob,
} from "@speckit/orchestrator/testing";
import type { Mutations } from "../bugs/mutations.ts";
import type { Oracle } from "../oracle/oracle.ts";
import { artifactsPort } from "../ports/artifacts-port.ts";
import { brokerPort } from "../ports/broker-port.ts";
import { clockPort } from "../ports/clock-port.ts";
import { credentialsPort, unusedGateway } from "../ports/credentials-port.ts";
import { gitPort } from "../ports/git-port.ts";
import { pullRequestsPort } from "../ports/pull-requests-port.ts";
import { runsPort } from "../ports/runs-port.ts";
import { runtimePort } from "../ports/runtime-port.ts";
import { type AgentHabits, CREDENTIAL, simulatedBackend } from "./agents.ts";
import { type Caller, type Fate, type Link, link, type Service } from "./link.ts";
import { type Random, randomFrom } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Services } from "./services.ts";

/** What a process is made in. */
export interface World {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly services: Services;
  readonly oracle: Oracle;
  readonly habits: AgentHabits;
  readonly settings: Settings;
  readonly mutations: Mutations;
  /** Failpoints are steps too. */
  readonly hasFailpoints: boolean;
  readonly log: ((line: string) => void) | undefined;
}

/** A simulated process: what it holds, and what it is cut off from. */
export interface Process extends Caller {
  readonly deps: Dependencies;
  readonly machine: MemoryMachine;
  /** The id the database gave it, once it is registered. */
  workerId: number | undefined;
  readonly cutFrom: Set<Service>;
  /** Its cut outlasts the schedule's faults. */
  keepsCut: boolean;
  readonly connections: Set<BrokerConnection>;
  /** It wants to hold a session, and whether it has one now. */
  readonly session: { isWanted: boolean; isHeld: boolean };
  readonly agents: Set<StartedJob>;
  /** Its own wall clock against virtual time. */
  readonly skewMs: number;
  readonly links: Readonly<Record<Service, Link>>;
}

const USUALLY_MS: Readonly<Record<Service, number>> = {
  database: 3,
  broker: 3,
  git: 150,
  local: 2,
};
const NOTICED_MS: Readonly<Record<Service, number>> = {
  database: 35_000,
  broker: 20_000,
  git: 60_000,
  local: 10,
};

/** A new process with every port it needs, none of them used yet. */
export function startProcess(world: World, name: string): Process {
  const { scheduler, services } = world;
  const random = randomFrom(world.seed, "process", name);
  const caller = {
    name,
    isAlive: true,
    frozenUntilMs: 0,
    fates: new Map<Service, Fate>(),
    cutFrom: new Set<Service>(),
    keepsCut: false,
  };
  const linkTo = (service: Service): Link =>
    link({
      scheduler,
      random,
      caller,
      service,
      usuallyMs: USUALLY_MS[service],
      noticedMs: NOTICED_MS[service],
      isReachable: () =>
        !caller.cutFrom.has(service) && (service === "local" || !services.away[service]),
    });
  const links = {
    database: linkTo("database"),
    broker: linkTo("broker"),
    git: linkTo("git"),
    local: linkTo("local"),
  };
  const machine = memoryMachine(services.remotes);
  const process: Omit<Process, "deps"> = Object.assign(caller, {
    machine,
    workerId: undefined,
    connections: new Set<BrokerConnection>(),
    session: { isWanted: false, isHeld: false },
    agents: new Set<StartedJob>(),
    skewMs: random.between(-120_000, 120_000),
    links,
  });
  const clock = clockPort(world, process, random);
  const logger = loggerOf(world.log, name);
  const transport = openMemoryTransport({ connect: brokerPort(world, process), clock });
  const deps: Dependencies = {
    runs: runsPort(world, process),
    statistics: memoryRunStatistics(services.database),
    surroundings: memoryRunSurroundings(services.database),
    transport: world.mutations.transport?.(transport) ?? transport,
    git: gitPort(world, process),
    pullRequests: pullRequestsPort(world, process),
    runtime: runtimePort(world, process),
    artifacts: artifactsPort(process, memoryArtifactStore()),
    credentials: credentialsPort(world, process),
    gateways: new Map([[CREDENTIAL, unusedGateway]]),
    backends: new Map([[simulatedBackend.name, simulatedBackend]]),
    defaultBackend: simulatedBackend.name,
    isAllowed: () => true,
    clock,
    identity: {
      newRunId: () => newId(random),
      sha256: (text) => text,
    },
    logger,
    settings: { ...DEFAULT_SETTINGS, ...world.settings },
    ...(world.hasFailpoints
      ? {
          reach: (point) =>
            new Promise((resolve) => {
              scheduler.after(random.between(0, 2), point, caller, resolve);
            }),
        }
      : {}),
  };
  return Object.assign(process, { deps });
}

/** A UUID by chance. */
export function newId(random: Random): string {
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => random.between(0, 15).toString(16)).join("");
  return `${hex(8)}-${hex(4)}-7${hex(3)}-8${hex(3)}-${hex(12)}`;
}

function loggerOf(log: World["log"], name: string): Dependencies["logger"] {
  const write =
    log === undefined
      ? () => {}
      : (message: string, fields?: object) =>
          log(
            `            ${name} ${message}${fields === undefined ? "" : ` ${JSON.stringify(fields)}`}`,
          );
  const logger: Dependencies["logger"] = {
    debug: write,
    info: write,
    warn: write,
    error: write,
    with: () => logger,
  };
  return logger;
}
