import { readFile } from "node:fs/promises";
import { rowsOf } from "./rows.ts";

interface AttemptRow {
  readonly run_id: string;
  readonly phase: string;
  readonly attempt: number;
  readonly state: string;
}

/** One start of an agent, as the agent itself has written it down. */
export interface AgentStart {
  readonly phase: string;
  readonly attempt: number;
  readonly runId: string;
  /** When, in Unix milliseconds. */
  readonly atMs: number;
}

/** The lines of a file that scripted agents append to; none when there is no file yet. */
export async function readStarts(path: string): Promise<readonly AgentStart[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [phase = "", attempt = "", runId = "", , atMs] = line.split(" ");
      return { phase, attempt: Number(attempt), runId, atMs: Number(atMs) };
    });
}

/**
 * No attempt has started its agent twice, none that the database does not know has, and each attempt
 * that succeeded has started one. An attempt that was interrupted may have started none.
 */
export async function checkStarts(
  databaseUrl: string,
  startsPath: string,
): Promise<readonly string[]> {
  const starts = new Map<string, number>();
  for (const { runId, phase, attempt } of await readStarts(startsPath)) {
    const name = `run ${runId}: ${phase} ${attempt}`;
    starts.set(name, (starts.get(name) ?? 0) + 1);
  }
  const agentPhases = new Set([...starts.keys()].map((name) => name.split(" ")[2]));
  const rows = await rowsOf<AttemptRow>(
    databaseUrl,
    "SELECT run_id, phase, attempt, state FROM spec_workflow_task_states WHERE attempt > 0",
  );
  const known = new Set(rows.map((row) => `run ${row.run_id}: ${row.phase} ${row.attempt}`));
  const problems: string[] = [];
  for (const [name, count] of starts) {
    if (count !== 1) {
      problems.push(`${name} has started its agent ${count} times`);
    }
    if (!known.has(name)) {
      problems.push(`${name} has started an agent and has no row`);
    }
  }
  for (const row of rows) {
    const name = `run ${row.run_id}: ${row.phase} ${row.attempt}`;
    if (row.state === "succeeded" && agentPhases.has(row.phase) && !starts.has(name)) {
      problems.push(`${name} has succeeded without an agent`);
    }
  }
  return problems;
}
