import { parseArgs } from "node:util";
import { MODES, type Mode } from "./modes.ts";

const RUNTIMES = ["process", "docker"] as const;
type Runtime = (typeof RUNTIMES)[number];

export interface CampaignOptions {
  readonly runs: number;
  readonly workers: number;
  readonly killEveryMs: number;
  readonly restartEveryMs: number;
  readonly modes: readonly Mode[];
  readonly runtime: Runtime;
  readonly seed: number;
}

export const USAGE = `npm run campaign -- [options]

Carries runs on private services that are broken again and again, then looks at everything from outside.

  --runs <n>              runs in each mode, default 200
  --workers <n>           worker processes, default 4
  --kill-every <time>     a random worker gets SIGKILL and a successor, default 2s
  --restart-every <time>  the mode's service is restarted so long after it is back, default 10s
  --mode <name>           ${MODES.join(", ")}; may be given several times,
                          default workers, broker and postgres in turn
  --runtime <name>        ${RUNTIMES.join(" or ")}, default process; with docker agents are in containers: a
                          random one gets SIGKILL with each worker, and the next pair no sooner than
                          another agent has begun
  --seed <n>              plays a campaign's choices again; printed at the start

Exit codes: 0 everything holds, 1 it does not (what, is listed), 2 usage.
`;

export class UsageError extends Error {}

/** @throws UsageError */
export function readOptions(args: readonly string[]): CampaignOptions | "help" {
  const values = parsed(args);
  if (values.help === true) {
    return "help";
  }
  const modes = (values.mode ?? ["workers", "broker", "postgres"]).map((name) =>
    oneOf("--mode", name, MODES),
  );
  return {
    runs: count("--runs", values.runs ?? "200", 10_000),
    workers: count("--workers", values.workers ?? "4", 32),
    killEveryMs: time("--kill-every", values["kill-every"] ?? "2s"),
    restartEveryMs: time("--restart-every", values["restart-every"] ?? "10s"),
    modes,
    runtime: oneOf("--runtime", values.runtime ?? "process", RUNTIMES),
    seed:
      values.seed === undefined
        ? Math.floor(Math.random() * 2 ** 32)
        : count("--seed", values.seed, 2 ** 32),
  };
}

function parsed(args: readonly string[]) {
  try {
    const text = { type: "string" } as const;
    return parseArgs({
      args: [...args],
      options: {
        runs: text,
        workers: text,
        "kill-every": text,
        "restart-every": text,
        mode: { type: "string", multiple: true },
        runtime: text,
        seed: text,
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function oneOf<T extends string>(option: string, name: string, names: readonly T[]): T {
  const found = names.find((one) => one === name);
  if (found === undefined) {
    throw new UsageError(`${option}: expected ${names.join(", ")}, got ${name}`);
  }
  return found;
}

function count(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > most || text.trim() === "") {
    throw new UsageError(`${name}: expected a whole number up to ${most}, got ${text}`);
  }
  return value;
}

function time(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text);
  const ms = Number(match?.[1]) * (match?.[2] === "ms" ? 1 : 1_000);
  if (match === null || ms < 100) {
    throw new UsageError(
      `${name}: expected a time of at least 100ms like 2s or 500ms, got ${text}`,
    );
  }
  return ms;
}
