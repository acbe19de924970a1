import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "@speckit/testkit";
import { expect, test } from "vitest";
import { removeClosedRuns } from "../../src/application/remove-closed-runs.ts";
import { requestFor, untilClosed, untilEvent, workshop } from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 2, hostname: "here" };

test("a worker removes from its own state folder what closed runs have left there, and nothing else", async () => {
  const remote = await here.remote();
  const slow = await here.remote({ plan: { onlyAttempts: [1], sleepMs: 60_000 } });
  await using first = here.open("first");
  const [closed, young, live] = [
    requestFor(remote.path),
    requestFor(remote.path),
    requestFor(slow.path),
  ];
  {
    // All three are begun here; the first two end elsewhere.
    await using worker = await first.orchestrator.work({ ...WORK, slots: 3 });
    await first.orchestrator.submit(live);
    await untilEvent(first.orchestrator, live.runId, "phase.started plan 1");
    await worker.drain();
  }
  await using second = here.open("second");
  {
    await using _worker = await second.orchestrator.work({ ...WORK, slots: 3 });
    for (const request of [closed, young]) {
      await second.orchestrator.submit(request);
      await untilClosed(second.orchestrator, request.runId);
    }
  }
  await here.sql(
    "UPDATE spec_workflow_runs SET cleaned_at = cleaned_at - interval '3 minutes' WHERE id = $1",
    [closed.runId],
  );
  const unknown = randomUUID();
  const runs = join(first.stateDir, "runs");
  const caches = join(first.stateDir, "cache");
  const [cache = ""] = await readdir(caches);
  const refs = join(caches, cache, "refs", "speckit");
  for (const runId of [closed.runId, young.runId, unknown]) {
    await mkdir(join(runs, runId, "plan-1", "workspace"), { recursive: true });
  }
  await writeFile(join(runs, "notes"), "not ours");

  // A run that was only prepared here has left nothing but a ref in the cache of its remote.
  const { rows } = await here.sql("SELECT git_remote FROM spec_workflow_runs WHERE id = $1", [
    closed.runId,
  ]);
  await first.deps.git.fetchBase(
    {
      runId: closed.runId,
      gitRemote: rows[0].git_remote,
      baseBranch: undefined,
      branch: "speckit/other",
    },
    AbortSignal.timeout(20_000),
  );
  expect(await first.deps.git.runsHere()).toEqual(
    expect.arrayContaining([closed.runId, young.runId, live.runId, unknown, "notes"]),
  );

  await using _worker = await first.orchestrator.work({ ...WORK, slots: 1 });
  await eventually(
    "the closed run is removed",
    () => first.deps.git.runsHere(),
    (there) => !there.includes(closed.runId),
  );
  expect((await readdir(runs)).sort()).toEqual([young.runId, live.runId, unknown, "notes"].sort());
  expect(await readdir(refs)).toContain(live.runId);

  await first.orchestrator.wake(live.runId);
  expect(await untilClosed(first.orchestrator, live.runId)).toMatchObject({ status: "succeeded" });
});

test("a state folder that is not there yet holds no runs", async () => {
  await using open = here.open("empty");
  expect(await removeClosedRuns(open.deps, new AbortController().signal)).toBe(0);
});

test("a state folder that is deleted under a phase costs a try, not the run", async () => {
  const remote = await here.remote({ specify: { onlyAttempts: [1], sleepMs: 1_500 } });
  await using open = here.open("deleted");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "phase.message specify 1");
  await rm(open.stateDir, { recursive: true, force: true, maxRetries: 5 });
  await untilEvent(open.orchestrator, run.runId, "run.waiting specify");
  await here.sql("UPDATE spec_workflow_runs SET due_at = clock_timestamp() WHERE id = $1", [
    run.runId,
  ]);
  await open.orchestrator.wake(run.runId);
  expect(await untilClosed(open.orchestrator, run.runId)).toMatchObject({ status: "succeeded" });
});
