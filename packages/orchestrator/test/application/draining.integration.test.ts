import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { git } from "@speckit/testkit";
import { expect, test } from "vitest";
import { isAgentPhase } from "../../src/domain/phase.ts";
import {
  eventsOf,
  named,
  phaseOf,
  requestFor,
  untilClosed,
  untilEvent,
  workshop,
} from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 2, hostname: "here" };
const PHASES = ["prepare", "specify", "plan", "tasks", "publish"] as const;

/** A remote that takes its time with a push, until it is told not to. */
async function slowPushes(remote: string) {
  const hook = join(remote, "hooks", "pre-receive");
  await writeFile(hook, "#!/bin/sh\nsleep 60\n");
  await chmod(hook, 0o755);
  return () => rm(hook);
}

test.each(PHASES)(
  "in %s: the run is handed over, and finished on another state folder without repeating what was done",
  async (phase) => {
    const slow = { onlyAttempts: [1], sleepMs: 60_000 };
    const remote = await here.remote({ specify: {}, plan: {}, tasks: {}, [phase]: slow });
    const letPush = phase === "publish" ? await slowPushes(remote.path) : async () => {};
    await using first = here.open(`${phase}-first`);
    const { run } = await first.orchestrator.submit(requestFor(remote.path));
    {
      await using worker = await first.orchestrator.work(WORK);
      await untilEvent(first.orchestrator, run.runId, `phase.started ${phase} 1`);
      await worker.drain();
      expect(worker.inHand()).toBe(0);
    }
    expect(await first.orchestrator.find(run.runId)).toMatchObject({
      status: "in_progress",
      leaseOwner: null,
    });
    await letPush();
    const before = named(await eventsOf(first.orchestrator, run.runId));
    expect(before.at(-1)).toBe("run.handed_over");

    await using second = here.open(`${phase}-second`);
    await using _worker = await second.orchestrator.work(WORK);
    await second.orchestrator.wake(run.runId);
    const result = await untilClosed(second.orchestrator, run.runId);
    expect(result).toMatchObject({ status: "succeeded", pushed: true });
    expect(await git(remote.path, "rev-parse", result.branch)).toBe(result.headSha);
    const log = await git(remote.path, "log", "--format=%s", `main..${result.branch}`);
    expect(log.split("\n")).toHaveLength(3);
    const events = named(await eventsOf(second.orchestrator, run.runId));
    expect(events.filter((name) => name.startsWith("phase.failed"))).toEqual([]);
    for (const done of PHASES.slice(0, PHASES.indexOf(phase))) {
      expect(phaseOf(result, done)).toMatchObject({ status: "succeeded", attempt: 1 });
    }
    const starts = await remote.starts();
    for (const done of PHASES.slice(0, PHASES.indexOf(phase)).filter(isAgentPhase)) {
      expect(starts.filter((start) => start.startsWith(done))).toEqual([`${done} 1`]);
    }
  },
);
