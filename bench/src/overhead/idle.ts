import { setTimeout as pause } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { benchBroker } from "../bench-broker.ts";
import { benchDatabase, statement } from "../bench-database.ts";
import { megabytes, three } from "../format.ts";
import { cpuMsOf, memoryOf } from "../process-facts.ts";
import { startWorkerDaemon } from "../worker-daemon.ts";

/** PostgreSQL's counters are at most this late: a session that rests hands them in after 10 s. */
const COUNTERS_LATE_MS = 11_000;

/** What the worker daemon costs while there is nothing to do, with its settings as they come. */
export async function measureIdle(bench: Bench): Promise<void> {
  const { services, sizes } = bench;
  await using database = await benchDatabase(services.serverUrl);
  await using broker = benchBroker(services.amqpUrl);
  await using worker = await startWorkerDaemon({
    folder: `${services.folder}/idle`,
    databaseUrl: database.url,
    amqpUrl: broker.url,
    amqpPrefix: broker.prefix,
  });
  await pause(Math.min(COUNTERS_LATE_MS, sizes.idleMs));
  const transactions = async (): Promise<number> => {
    const [row] = await statement<{ count: string }>(
      services.serverUrl,
      "SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = $1",
      [database.name],
    );
    return Number(row?.count);
  };
  const before = { transactions: await transactions(), cpuMs: await cpuMsOf(worker.pid) };
  const startedMs = performance.now();
  await pause(sizes.idleMs);
  const seconds = (performance.now() - startedMs) / 1_000;
  const perSecond = ((await transactions()) - before.transactions) / seconds;
  const cpu = (await cpuMsOf(worker.pid)) - before.cpuMs;
  const memory = await memoryOf(worker.pid);
  bench.keep("idle: memory in bytes, transactions per second, CPU in percent", [
    memory ?? Number.NaN,
    perSecond,
    cpu / seconds / 10,
  ]);
  bench.table(
    `An idle worker daemon, over ${three(seconds)} s`,
    ["", "measured"],
    [
      ["memory (PSS)", memory === undefined ? "not told by this kernel" : megabytes(memory)],
      ["transactions per second", perSecond.toFixed(2)],
      ["CPU", `${(cpu / seconds / 10).toFixed(2)} %`],
    ],
  );
}
