import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "@speckit/testkit";
import { expect, test } from "vitest";
import { SpeckitError } from "../../src/domain/speckit-error.ts";
import { eventsOf, named, requestFor, untilClosed, untilEvent, workshop } from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 2, hostname: "here" };

test("a result that cannot be written does not keep a run open for ever", async () => {
  const remote = await here.remote();
  await using open = here.open("no-result");
  const request = requestFor(remote.path);
  await mkdir(join(open.stateDir, "artifacts", request.runId, "result.json"), { recursive: true });
  await using _worker = await open.orchestrator.work(WORK);
  await open.orchestrator.submit(request);
  for (const attempt of [1, 2, 3, 4]) {
    await untilEvent(open.orchestrator, request.runId, `phase.failed cleanup ${attempt}`);
    await open.orchestrator.wake(request.runId);
  }
  const result = await untilClosed(open.orchestrator, request.runId);
  expect(result.status).toBe("succeeded");
  const events = await eventsOf(open.orchestrator, request.runId);
  expect(events.at(-1)).toMatchObject({
    type: "phase.succeeded",
    phase: "cleanup",
    attempt: 5,
    data: { trouble: expect.stringContaining("result.json") },
  });
});

test("cleanup's closing event is written once, however many owners it takes to send the events", async () => {
  const remote = await here.remote();
  let isAway = true;
  await using open = here.open("unsent", {
    transport: (transport) => ({
      ...transport,
      async publishEvent(event) {
        if (isAway) {
          throw new SpeckitError("BROKER_UNAVAILABLE", "no events today");
        }
        return transport.publishEvent(event);
      },
    }),
  });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "phase.succeeded cleanup 1");
  for (let claims = 0; claims < 55; claims += 1) {
    const before = (await open.orchestrator.find(run.runId))?.epoch ?? 0;
    await eventually(
      "another owner has tried",
      async () => {
        await open.orchestrator.wake(run.runId);
        return open.orchestrator.find(run.runId);
      },
      (seen) => (seen?.epoch ?? 0) > before && seen?.leaseOwner === null,
    );
  }
  isAway = false;
  await open.orchestrator.wake(run.runId);
  await untilClosed(open.orchestrator, run.runId);
  const names = named(await eventsOf(open.orchestrator, run.runId));
  expect(names.filter((name) => name === "phase.succeeded cleanup 1")).toHaveLength(1);
});

test("a run that fails on its way leaves its last checkpoint beside its result", async () => {
  const remote = await here.remote({ plan: { touchOutside: "README.md" } });
  await using open = here.open("failed");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "failed", failure: { code: "POSTCONDITION_FAILED" } });
  const folder = join(open.stateDir, "artifacts", run.runId);
  const bundle = await readFile(join(folder, "checkpoint.bundle"));
  expect(Buffer.from((await open.deps.runs.checkpointOf(run.runId)) ?? []).equals(bundle)).toBe(
    true,
  );
  const kept = JSON.parse(await readFile(join(folder, "result.json"), "utf8"));
  expect(kept.artifacts.map((artifact: { name: string }) => artifact.name)).toContain(
    "checkpoint.bundle",
  );
  expect(await readdir(join(open.stateDir, "runs"))).toEqual([]);
});
