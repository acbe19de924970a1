import { randomUUID } from "node:crypto";
import { testDatabase } from "@speckit/testkit";
import { afterAll, describe, expect, test } from "vitest";
import { sqlClient } from "./sql-client.ts";

const database = await testDatabase();
const sql = await sqlClient(database.url);
afterAll(() => sql[Symbol.asyncDispose]());

/** Inserts a run with these columns, the rest as intake would have it. */
async function insertRun(columns: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const id = randomUUID();
  const row: Record<string, unknown> = {
    id,
    request: "{}",
    request_hash: "x",
    repository: "owner/name",
    git_remote: "https://github.com/owner/name.git",
    branch: id,
    agent: "codex",
    pipeline: ["prepare", "publish"],
    ...columns,
  };
  const names = Object.keys(row);
  const places = names.map((_, ix) => `$${ix + 1}`);
  await sql.query(
    `INSERT INTO spec_workflow_runs (${names.join(", ")}) VALUES (${places.join(", ")})`,
    Object.values(row),
  );
  return id;
}

const insertAttempt = (columns: string, values: readonly unknown[]) =>
  sql.query(
    `INSERT INTO spec_workflow_task_states (run_id, epoch, ${columns})
     VALUES ($1, 1, ${values.slice(1).map((_, ix) => `$${ix + 2}`)})`,
    values,
  );

const at = new Date("2026-01-31T12:00:00Z");
const CHECK = { code: "23514" };
const UNIQUE = { code: "23505" };

describe("a run's row", () => {
  test.each([
    ["queued", {}],
    ["in_progress", { epoch: 1 }],
    ["needs_input", { epoch: 1, parked_for: "input" }],
    ["needs_input", { parked_for: "input" }],
    ["in_progress", { epoch: 1, parked_for: "credential" }],
    ["succeeded", { epoch: 1, outcome: "succeeded", finished_at: at }],
    ["no_changes", { epoch: 1, outcome: "no_changes", finished_at: at }],
    ["failed", { epoch: 1, outcome: "failed", finished_at: at }],
    ["cancelled", { outcome: "cancelled", finished_at: at }],
    ["failed", { epoch: 9, outcome: "failed", finished_at: at, cleaned_at: at, wake_at: null }],
  ])("has the status %s with %j", async (status, columns) => {
    const id = await insertRun(columns);
    expect(await sql.query("SELECT status FROM spec_workflow_runs WHERE id = $1", [id])).toEqual([
      { status },
    ]);
  });

  test("has a status that nobody writes", async () => {
    await expect(insertRun({ status: "queued" })).rejects.toMatchObject({ code: "428C9" });
  });

  test("is looked at 15 s after it was made, and due at once", async () => {
    const id = await insertRun();
    const [row] = await sql.query(
      `SELECT extract(epoch FROM wake_at - created_at)::float8 AS wake,
              due_at <= clock_timestamp() AS due FROM spec_workflow_runs WHERE id = $1`,
      [id],
    );
    expect(row?.wake).toBeCloseTo(15, 1);
    expect(row?.due).toBe(true);
  });

  test.each([
    ["without a next look before cleanup is done", { wake_at: null }],
    [
      "with a next look after cleanup is done",
      { outcome: "failed", finished_at: at, cleaned_at: at },
    ],
    ["cleaned without an outcome", { cleaned_at: at, wake_at: null }],
    ["with an outcome and no end", { outcome: "failed" }],
    ["with an end and no outcome", { finished_at: at }],
    ["with an unknown outcome", { outcome: "done", finished_at: at }],
    ["parked for something unknown", { parked_for: "repository" }],
    ["parked after its end", { outcome: "failed", finished_at: at, parked_for: "input" }],
    ["with a lease of nobody", { lease_until: at }],
    ["with more events sent than there are", { last_seq: 1, sent_seq: 2 }],
    ["in a phase before the first", { phase_ix: -1 }],
  ])("cannot be %s", async (_name, columns) => {
    await expect(insertRun(columns)).rejects.toMatchObject(CHECK);
  });

  test("cannot have a live owner that no worker is", async () => {
    await expect(insertRun({ lease_owner: 999_999, lease_until: at })).rejects.toMatchObject({
      code: "23503",
    });
  });

  test("shares its branch with ended runs only, and its key with none", async () => {
    const outcome = { outcome: "failed", finished_at: at };
    await insertRun({ branch: "b", ...outcome });
    await insertRun({ branch: "b", ...outcome });
    await insertRun({ branch: "b" });
    await expect(insertRun({ branch: "b" })).rejects.toMatchObject(UNIQUE);
    await insertRun({ idempotency_key: "k", ...outcome });
    await expect(insertRun({ idempotency_key: "k" })).rejects.toMatchObject(UNIQUE);
  });

  test("keeps its outcome, also from a hand that writes SQL", async () => {
    const id = await insertRun({ outcome: "failed", finished_at: at });
    const change = (set: string) =>
      sql.query(`UPDATE spec_workflow_runs SET ${set} WHERE id = $1`, [id]);
    const refused = { code: "23000", message: expect.stringContaining("an outcome never changes") };
    await expect(change("outcome = 'succeeded'")).rejects.toMatchObject(refused);
    await expect(change("outcome = NULL, finished_at = NULL")).rejects.toMatchObject(refused);
    await change("outcome = 'failed', phase_ix = 3");
    expect(
      await sql.query("SELECT outcome, phase_ix FROM spec_workflow_runs WHERE id = $1", [id]),
    ).toEqual([{ outcome: "failed", phase_ix: 3 }]);
  });
});

describe("a task-state row", () => {
  const columns = "phase, attempt, state, started_at, ended_at";

  test.each([
    ["before the first attempt", ["plan", -1, "failed", at, at]],
    ["with an unknown state", ["plan", 1, "lost", at, at]],
    ["running and ended", ["plan", 1, "running", at, at]],
    ["closed without an end", ["plan", 1, "failed", at, null]],
    ["an attempt that never started", ["plan", 1, "failed", null, at]],
    ["a start that is no attempt", ["plan", 0, "skipped", at, at]],
    ["a failure that never started", ["plan", 0, "failed", null, at]],
  ])("cannot be %s", async (_name, values) => {
    await expect(insertAttempt(columns, [await insertRun(), ...values])).rejects.toMatchObject(
      CHECK,
    );
  });

  test("is the only open one of its run, and the only success of its phase", async () => {
    const id = await insertRun();
    await insertAttempt(columns, [id, "plan", 1, "succeeded", at, at]);
    await expect(
      insertAttempt(columns, [id, "plan", 2, "succeeded", at, at]),
    ).rejects.toMatchObject(UNIQUE);
    await insertAttempt(columns, [id, "plan", 3, "running", at, null]);
    await expect(
      insertAttempt(columns, [id, "tasks", 1, "running", at, null]),
    ).rejects.toMatchObject(UNIQUE);
    await expect(insertAttempt(columns, [id, "plan", 3, "failed", at, at])).rejects.toMatchObject(
      UNIQUE,
    );
    await insertAttempt(columns, [await insertRun(), "plan", 1, "running", at, null]);
  });
});

describe("a deployment", () => {
  test("has one id for ever", async () => {
    await expect(
      sql.query("INSERT INTO spec_workflow_deployment DEFAULT VALUES"),
    ).rejects.toMatchObject(UNIQUE);
    await expect(
      sql.query("INSERT INTO spec_workflow_deployment (only_one) VALUES (false)"),
    ).rejects.toMatchObject(CHECK);
  });
});
