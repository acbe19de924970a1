import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startProgram } from "@speckit/testkit";
import { expect, test } from "vitest";
import type { Dependencies } from "../../src/application/dependencies.ts";
import { Orchestrator } from "../../src/application/orchestrator.ts";
import { retainEvidence } from "../../src/application/retain-evidence.ts";
import { busyWorker, foldersIn, submitOne, untilThere, WAYS, type Way } from "./busy-day.ts";
import { workshop } from "./workshop.ts";

/** The day's own, and one for the rest: what is live at its end must not be gone on with. */
const [day, here] = [await workshop(), await workshop()];
const SLOTS = 10;

/** Sixty runs: how many go which way. */
const MIX: readonly (readonly [Way, number])[] = [
  ["succeeded", 24],
  ["no_changes", 8],
  ["failed", 10],
  ["cancelled", 8],
  ["asks", 5],
  ["works", 5],
];

/**
 * Lets days pass for runs: retention goes by the database's clock, and that of a server is not ours to
 * set. So what it is compared with goes back instead.
 */
const passDays = (days: number, where = day) =>
  where.sql(
    `UPDATE spec_workflow_runs SET finished_at = finished_at - time, cleaned_at = cleaned_at - time,
       artifacts_expire_at = artifacts_expire_at - time,
       artifacts_deleted_at = artifacts_deleted_at - time
     FROM (SELECT $1::int * interval '1 day' AS time) AS passed`,
    [days],
  );

const stateOf = async (deps: Dependencies, runId: string) =>
  (await new Orchestrator(deps).verifyArtifacts(runId)).state;

const statesOf = async (deps: Dependencies, runIds: readonly string[]) =>
  new Set(await Promise.all(runIds.map((runId) => stateOf(deps, runId))));

const rowsOf = async (): Promise<readonly string[]> =>
  (await day.sql("SELECT id FROM spec_workflow_runs ORDER BY id")).rows.map(({ id }) => id);

/** Two workers of one host and one of another, all at once, until there is nothing left to do. */
async function retainTogether(workers: readonly Dependencies[]) {
  const sum = { givenUp: 0, filesOf: 0, rowsOf: 0 };
  for (let did = 1; did > 0; ) {
    const reports = await Promise.all(
      workers.map((deps) => retainEvidence(deps, new AbortController().signal)),
    );
    did = 0;
    for (const { givenUp, filesOf, rowsOf } of reports) {
      sum.givenUp += givenUp;
      sum.filesOf += filesOf;
      sum.rowsOf += rowsOf;
      did += givenUp + filesOf + rowsOf;
    }
  }
  return sum;
}

test("a day's runs: artifacts go after a week, rows after 400 days, nothing of live and kept runs", async () => {
  await using one = day.open("host-a");
  await using two = day.open("host-a");
  await using three = day.open("host-b");
  const workers = [busyWorker(one), busyWorker(two), busyWorker(three)] as const;
  const [a, , b] = workers;
  await using undo = new AsyncDisposableStack();
  for (const deps of workers) {
    undo.use(await new Orchestrator(deps).work({ slots: SLOTS, hostname: "here" }));
  }
  const all: { readonly runId: string; readonly way: Way; readonly deps: Dependencies }[] = [];
  for (const [way, count] of MIX) {
    for (let ix = 0; ix < count; ix += 1) {
      const deps = workers[all.length % workers.length] ?? a;
      all.push({ runId: await submitOne(deps, way), way, deps });
    }
  }
  expect(all).toHaveLength(60);
  await Promise.all(all.map(({ deps, runId }) => untilThere(deps, runId)));

  const isLive = (way: Way) => way === "asks" || way === "works";
  const idsOf = (which: (one: (typeof all)[number]) => boolean) =>
    all.filter(which).map(({ runId }) => runId);
  const live = idsOf(({ way }) => isLive(way));
  const over = all.filter(({ way }) => !isLive(way));
  const kept = [0, 24, 32, 43].map((ix) => over[ix]?.runId ?? "");
  const old = idsOf(({ runId, way }) => !isLive(way) && !kept.includes(runId));
  const ids = all.map(({ runId }) => runId).sort();
  for (const { deps, runId } of over) {
    expect(await stateOf(deps, runId), runId).toBe("intact");
  }
  expect(await statesOf(a, live)).toEqual(new Set(["live"]));
  expect(
    await statesOf(
      b,
      idsOf(({ deps, way }) => deps === a && !isLive(way)),
    ),
  ).toEqual(new Set(["damaged"]));

  // Truncation is on record, and so is what was kept.
  const first = over[0]?.runId ?? "";
  const listing = await new Orchestrator(a).artifacts(first);
  const cut = listing.artifacts.filter(({ truncated }) => truncated === true);
  expect(cut.map(({ name }) => name)).toContain("tasks-1/stdout.log");
  const log = join(one.stateDir, "artifacts", first, "tasks-1", "stdout.log");
  expect(await readFile(log, "utf8")).toMatch(/\n\[truncated by speckit: 30300 bytes came.*\]\n$/);

  const owner = new Orchestrator(a);
  for (const runId of [...kept, live[0] ?? ""]) {
    await owner.keepArtifacts(runId, "audit");
  }
  const stranger = randomUUID();
  await mkdir(join(one.stateDir, "artifacts", stranger));
  const { rows: artifactRows } = await day.sql("SELECT count(*) FROM spec_workflow_artifacts");

  await passDays(6);
  expect(await retainTogether(workers)).toEqual({ givenUp: 0, filesOf: 0, rowsOf: 0 });
  await passDays(2);
  expect(await retainTogether(workers)).toEqual({
    givenUp: old.length,
    filesOf: old.length,
    rowsOf: 0,
  });
  const left = [...(await foldersIn(one.stateDir)), ...(await foldersIn(three.stateDir))];
  expect(left.sort()).toEqual([...live, ...kept, stranger].sort());
  expect(await rowsOf()).toEqual(ids);
  expect((await day.sql("SELECT count(*) FROM spec_workflow_artifacts")).rows).toEqual(
    artifactRows,
  );
  expect(await statesOf(a, old)).toEqual(new Set(["deleted"]));
  for (const { deps, runId } of over.filter(({ runId }) => kept.includes(runId))) {
    expect(await stateOf(deps, runId), runId).toBe("intact");
  }
  for (const { runId, way } of all) {
    expect((await owner.result(runId)).status).toBe(WAYS[way]);
  }

  // What is gone is said to be, and is in nobody's way.
  const gone = idsOf(({ way, runId }) => way === "failed" && !kept.includes(runId))[0] ?? "";
  const result = await owner.result(gone);
  expect(result).toMatchObject({ artifacts: [], artifactsDeletedAt: expect.any(String) });
  expect((await owner.artifacts(gone)).artifacts).not.toEqual([]);
  await expect(
    owner.artifact(gone, "result.json")[Symbol.asyncIterator]().next(),
  ).rejects.toMatchObject({ code: "ARTIFACTS_EXPIRED" });
  await expect(owner.keepArtifacts(gone)).rejects.toMatchObject({ code: "ARTIFACTS_EXPIRED" });
  const commandId = randomUUID();
  await owner.command({ schemaVersion: 1, commandId, runId: gone, command: "retry" });
  await untilThere(a, commandId);

  await passDays(393);
  expect(await retainTogether(workers)).toMatchObject({ rowsOf: old.length });
  expect(await rowsOf()).toEqual([...live, ...kept, commandId].sort());
  expect((await owner.find(commandId))?.retryOf).toBeNull();

  // Released, a run has a day left.
  await owner.releaseArtifacts(kept[0] ?? "");
  expect(await retainTogether(workers)).toEqual({ givenUp: 0, filesOf: 0, rowsOf: 0 });
  await passDays(1);
  expect(await retainTogether(workers)).toMatchObject({ givenUp: 1, filesOf: 1 });
  await passDays(1);
  expect(await retainTogether(workers)).toMatchObject({ rowsOf: 1 });
  expect(await rowsOf()).toEqual([...live, ...kept.slice(1), commandId].sort());
});

test("what a killed worker has begun to delete, the next ones delete to the end", async () => {
  await using one = here.open("killed");
  await using two = here.open("killed");
  const deps = busyWorker(one);
  const runIds: string[] = [];
  {
    await using _worker = await new Orchestrator(deps).work({ slots: 3, hostname: "here" });
    for (let ix = 0; ix < 3; ix += 1) {
      runIds.push(await submitOne(deps, "no_changes"));
    }
    await Promise.all(runIds.map((runId) => untilThere(deps, runId)));
  }
  await passDays(8, here);
  const program = fileURLToPath(new URL("./killed-at-deleting-program.ts", import.meta.url));
  const killed = startProgram(program, [here.databaseUrl, one.stateDir], { timeoutMs: 30_000 });
  expect((await killed.result).signal).toBe("SIGKILL");
  // The rows said so first: nobody is promised a file that may be gone.
  expect(await statesOf(deps, runIds)).toEqual(new Set(["deleted"]));
  expect(await foldersIn(one.stateDir)).toHaveLength(2);
  const rest = { givenUp: 0, filesOf: 2, rowsOf: 0 };
  expect(await retainTogether([deps, busyWorker(two)])).toEqual(rest);
  expect(await foldersIn(one.stateDir)).toEqual([]);
});

test("a volume that is nearly full keeps new runs waiting, not those that were begun", async () => {
  const program = fileURLToPath(new URL("./full-volume-program.ts", import.meta.url));
  const stateDir = join(here.folder, "full");
  await mkdir(stateDir);
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const script = `mount -t tmpfs -o size=64m none "$1" && exec "$2" "$3" "$4" "$1"`;
  const { stdout } = await promisify(execFile)("unshare", [
    ...[...user, "--mount", "sh", "-c", script, "sh"],
    ...[stateDir, process.execPath, program, here.databaseUrl],
  ]);
  expect(JSON.parse(stdout)).toEqual({
    why: expect.stringMatching(
      /^space in the state folder: \d+ MiB are free, the floor is 32 MiB$/,
    ),
    begunBefore: "succeeded",
    newMeanwhile: "queued",
    newAfterwards: "succeeded",
    pauses: 1,
    pausesForWhatCanGo: 0,
  });
});

test("what is missing, changed or added is told by name, and what a dead worker left is no damage", async () => {
  await using open = here.open("damaged");
  const deps = busyWorker(open);
  const runId = await submitOne(deps, "succeeded");
  const failed = await submitOne(deps, "failed");
  {
    await using _worker = await new Orchestrator(deps).work({ slots: 2, hostname: "here" });
    await Promise.all([untilThere(deps, runId), untilThere(deps, failed)]);
  }
  const orchestrator = new Orchestrator(deps);
  const folder = join(open.stateDir, "artifacts", runId);
  await rm(join(folder, "result.json"));
  await writeFile(join(folder, "plan-1", "prompt.md"), "another");
  await writeFile(join(folder, "plan-1", "extra"), "");
  const verdict = await orchestrator.verifyArtifacts(runId);
  expect(verdict.state).toBe("damaged");
  expect(verdict.problems.map(({ name, problem }) => `${problem} ${name}`).sort()).toEqual([
    "different plan-1/prompt.md",
    "missing result.json",
    "unexpected plan-1/extra",
  ]);
  // A worker that dies leaves what it has not recorded yet.
  await writeFile(join(open.stateDir, "artifacts", failed, "plan-1", "session.json"), "");
  expect(await orchestrator.verifyArtifacts(failed)).toMatchObject({
    state: "intact",
    leftovers: ["plan-1/session.json"],
  });
  const read = async (name: string): Promise<void> => {
    for await (const _piece of orchestrator.artifact(runId, name)) {
      // To its end.
    }
  };
  await expect(read("plan-1/prompt.md")).rejects.toMatchObject({ code: "ARTIFACT_DAMAGED" });
  await expect(read("result.json")).rejects.toMatchObject({ code: "ARTIFACT_NOT_HERE" });
  await expect(read("none.md")).rejects.toMatchObject({ code: "ARTIFACT_NOT_FOUND" });
});
