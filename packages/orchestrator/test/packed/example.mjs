// What a service that imports the library does: submit a run and wait for its end.
import { openOrchestrator } from "@speckit/orchestrator/node";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";

const stateDir = process.env.STATE_DIR;
await using opened = await openOrchestrator({
  databaseUrl: process.env.DATABASE_URL,
  stateDir,
  allowPaths: true,
  logLevel: "error",
});
const { orchestrator } = opened;

const { run } = await orchestrator.submit({
  schemaVersion: 1,
  repository: `file://${await makeSampleRemote(stateDir)}`,
  specifyText: "Add OAuth login",
  agent: { backend: "scripted" },
});

// Here the same process carries it; usually a worker does.
const worker = await orchestrator.work({ slots: 1, hostname: "example" });
while ((await orchestrator.find(run.runId)).cleanedAt === null) {
  await new Promise((resolve) => setTimeout(resolve, 100));
}
await worker.drain();
const { status } = await orchestrator.result(run.runId);
console.log(status);
