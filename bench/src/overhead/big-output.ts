import { fileURLToPath } from "node:url";
import { openRunRequestPublisher } from "@speckit/orchestrator/rabbitmq";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import type { Bench } from "../bench.ts";
import { benchBroker } from "../bench-broker.ts";
import { benchDatabase } from "../bench-database.ts";
import { megabytes, three } from "../format.ts";
import { peakMemoryOf } from "../process-facts.ts";
import { startWorkerDaemon } from "../worker-daemon.ts";

const SCRIPTED = fileURLToPath(import.meta.resolve("@speckit/orchestrator/scripted-agent"));

/**
 * The most memory a worker daemon has had after an agent has printed a lot, in lines, and then done
 * its work: with the real process runtime, git and artifacts.
 */
export async function measureBigOutput(bench: Bench): Promise<void> {
  const { services, sizes } = bench;
  const { outputBytes } = sizes;
  await using database = await benchDatabase(services.serverUrl);
  await using broker = benchBroker(services.amqpUrl);
  const remote = await makeSampleRemote(`${services.folder}/big-output-remote`);
  const print = `yes ${"x".repeat(199)} | head -c ${outputBytes}`;
  const agent = `${print}; exec '${process.execPath}' '${SCRIPTED}'`;
  await using worker = await startWorkerDaemon({
    folder: `${services.folder}/big-output`,
    databaseUrl: database.url,
    amqpUrl: broker.url,
    amqpPrefix: broker.prefix,
    env: {
      SPECKIT_AGENT_COMMAND: JSON.stringify(["sh", "-c", agent]),
      SPECKIT_REPOSITORIES: `file://${services.folder}/*`,
    },
  });
  const before = await peakMemoryOf(worker.pid);
  await using publisher = await openRunRequestPublisher({ url: broker.url, prefix: broker.prefix });
  const startedMs = performance.now();
  const result = await publisher.request(
    {
      schemaVersion: 1,
      repository: `file://${remote}`,
      specifyText: "Print a lot",
      agent: { backend: "command" },
      phases: ["specify"],
    },
    { timeoutMs: 600_000 },
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  const after = await peakMemoryOf(worker.pid);
  if (before === undefined || after === undefined) {
    bench.say("this kernel does not tell a process's highest memory");
    return;
  }
  bench.keep("big output: peak bytes before, peak bytes after, seconds", [before, after, seconds]);
  bench.table(
    `A worker daemon while an agent prints ${megabytes(outputBytes)}`,
    ["", "measured"],
    [
      ["highest resident memory before", megabytes(before)],
      ["highest resident memory after", megabytes(after)],
      ["the run took", `${three(seconds)} s`],
      ["it ended as", result.failure?.code ?? result.status],
    ],
  );
}
