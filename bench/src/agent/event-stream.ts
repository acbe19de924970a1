import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openRunRequestPublisher } from "@speckit/orchestrator/rabbitmq";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import type { Bench } from "../bench.ts";
import { benchBroker } from "../bench-broker.ts";
import { benchDatabase } from "../bench-database.ts";
import { megabytes, three } from "../format.ts";
import { peakMemoryOf } from "../process-facts.ts";
import { startWorkerDaemon } from "../worker-daemon.ts";
import { openCodexWorker } from "./codex-worker.ts";
import { type RecordedStream, recordStream } from "./recorded-stream.ts";

/** The same stream, shorter: memory that is flat is the same for both. */
const TIMES_SHORTER = 10;
/** The daemon's heap. On a larger one the collector lets garbage lie that says nothing of what is held. */
const HEAP_MIB = 96;

/**
 * The most memory a worker daemon has had after it has read a recorded event stream of Codex, with
 * the real runtime, reader, events and artifacts; each stream by a daemon of its own.
 */
export async function measureEventStream(bench: Bench): Promise<void> {
  const { recordedBytes } = bench.sizes;
  const rows: string[][] = [];
  for (const bytes of [recordedBytes / TIMES_SHORTER, recordedBytes]) {
    bench.say(`a stream of ${megabytes(bytes)}`);
    const stream = await recordedStream(bench, bytes);
    const { before, after, seconds, endedAs } = await readBy(bench, stream);
    if (before === undefined || after === undefined) {
      bench.say("this kernel does not tell a process's highest memory");
      return;
    }
    bench.keep(`stream of ${stream.bytes} bytes: peak bytes before, peak bytes after, seconds`, [
      before,
      after,
      seconds,
    ]);
    rows.push([
      megabytes(stream.bytes),
      String(stream.lines),
      megabytes(stream.longestBytes),
      megabytes(before),
      megabytes(after),
      three(seconds),
      three(stream.bytes / 1_000_000 / seconds),
      endedAs,
    ]);
  }
  bench.table(
    `A worker daemon with a heap of ${HEAP_MIB} MiB reads a recorded event stream of Codex`,
    ["stream", "lines", "longest", "highest memory before", "after", "s", "MB/s", "ended as"],
    rows,
  );
}

async function recordedStream({ services }: Bench, bytes: number): Promise<RecordedStream> {
  await using database = await benchDatabase(services.serverUrl);
  const folder = join(services.folder, `recorded-${bytes}`);
  await using worker = await openCodexWorker({
    databaseUrl: database.url,
    stateDir: join(folder, "state"),
    baseUrl: "http://127.0.0.1:1/v1",
  });
  return recordStream(worker.backend, folder, bytes);
}

async function readBy({ services }: Bench, stream: RecordedStream) {
  await using database = await benchDatabase(services.serverUrl);
  await using broker = benchBroker(services.amqpUrl);
  const folder = `${stream.path}.worker`;
  await mkdir(folder);
  const remote = await makeSampleRemote(join(folder, "remote"));
  await using worker = await startWorkerDaemon({
    folder: join(folder, "state"),
    databaseUrl: database.url,
    amqpUrl: broker.url,
    amqpPrefix: broker.prefix,
    env: {
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}`,
      CODEX_API_KEY: "sk-bench",
      SPECKIT_CODEX_PATH: await playerOf(stream.path),
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
      agent: { backend: "codex" },
      phases: ["specify"],
    },
    { timeoutMs: 600_000 },
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  const after = await peakMemoryOf(worker.pid);
  return { before, after, seconds, endedAs: result.failure?.code ?? result.status };
}

/** A program that answers as Codex does, and prints the recording. */
async function playerOf(recording: string): Promise<string> {
  const path = `${recording}.player`;
  const lines = [
    "#!/bin/sh",
    '[ "$1" = --version ] && echo "codex-cli 0.169.0" && exit 0',
    "cat >/dev/null",
    `cat '${recording}'`,
    "exit 1",
  ];
  await writeFile(path, `${lines.join("\n")}\n`);
  await chmod(path, 0o755);
  return path;
}
