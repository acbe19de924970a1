import { expect, test } from "vitest";
import { acceptRequest } from "../../src/application/accept-request.ts";
import { SpeckitError } from "../../src/domain/speckit-error.ts";
import { requestFor, workshop } from "./workshop.ts";

const here = await workshop();

test("a request waits for a database that refuses us as for one that is away: it is not to blame", async () => {
  let refusals = 2;
  await using open = here.open("refusing", {
    runs: (runs) => ({
      ...runs,
      async insertRun(run) {
        if (refusals > 0) {
          refusals -= 1;
          throw new SpeckitError("SERVICE_REFUSED", "the password was changed");
        }
        return runs.insertRun(run);
      },
    }),
  });
  const request = requestFor("/nowhere/at/all");
  const verdict = await acceptRequest(
    { ...open.deps, deploymentId: "test" },
    {
      kind: "request",
      body: Buffer.from(JSON.stringify(request)),
      replyTo: undefined,
      correlationId: undefined,
    },
    new AbortController().signal,
  );
  expect(verdict).toEqual({ do: "ack" });
  expect(await open.orchestrator.find(request.runId)).toMatchObject({ status: "queued" });
});
