import { setTimeout as pause } from "node:timers/promises";
import { message, turn } from "@speckit/mock-model";
import type { Bench } from "../bench.ts";
import { megabytes } from "../format.ts";
import { memoryOf, peakMemoryOf } from "../process-facts.ts";
import { PROVIDERS, targetOf } from "./call-model.ts";
import { openGatewaySubject } from "./gateway-subject.ts";

const STREAMS = 100;
const OF_AN_ATTEMPT = 10;
const PIECES_OF_A_STREAM = 5;
/** Between two pieces: long enough for all streams to be open at a time. */
const PAUSE_MS = 200;

/**
 * The gateway's memory with a hundred streams open at once, of all providers, at two sizes: memory that
 * does not grow with what passes is the same for both. Once their readers take what comes, once they
 * take nothing until the provider has had to wait.
 */
export async function measureStreams(bench: Bench): Promise<void> {
  const rows: string[][] = [];
  for (const [readers, bytes] of [
    ["quick", bench.sizes.streamedBytes / 10],
    ["quick", bench.sizes.streamedBytes],
    ["slow", bench.sizes.streamedBytes],
  ] as const) {
    bench.say(`${STREAMS} streams, ${megabytes(bytes)}, ${readers} readers`);
    const seen = await streamed(bench, readers, bytes);
    if (seen === undefined) {
      bench.say("this kernel does not tell a process's memory");
      return;
    }
    bench.keep(`${readers} readers, ${bytes} bytes: before, middle, peak`, seen);
    rows.push([readers, megabytes(bytes), ...seen.map(megabytes)]);
  }
  bench.table(
    `The gateway's memory with ${STREAMS} streams at once`,
    ["readers", "streamed", "before", "in the middle", "highest"],
    rows,
  );
}

async function streamed(
  bench: Bench,
  readers: "quick" | "slow",
  bytes: number,
): Promise<readonly number[] | undefined> {
  const text = "x".repeat(Math.ceil(bytes / STREAMS));
  await using subject = await openGatewaySubject(bench, `gateway-${readers}-${bytes}`, () => ({
    ...turn(message(text)),
    pauseMs: PAUSE_MS,
  }));
  const { pid, socketPath } = subject.gateway;
  using targets = new DisposableStack();
  const tokens = await Promise.all(
    Array.from({ length: STREAMS / OF_AN_ATTEMPT }, () => subject.attempt()),
  );
  const calls = Array.from({ length: STREAMS }, (_, ix) =>
    targets.use(
      targetOf(PROVIDERS[ix % PROVIDERS.length] ?? "openai", {
        socketPath,
        token: tokens[ix % tokens.length] ?? "",
      }),
    ),
  );
  const before = await memoryOf(pid);
  const isOver = Promise.withResolvers<void>();
  const goOn = readers === "slow" ? () => isOver.promise : undefined;
  const all = Promise.all(calls.map((target) => target.call(goOn)));
  await pause(PAUSE_MS * (PIECES_OF_A_STREAM + 3));
  const middle = await memoryOf(pid);
  isOver.resolve();
  await all;
  const peak = await peakMemoryOf(pid);
  return before === undefined || middle === undefined || peak === undefined
    ? undefined
    : [before, middle, peak];
}
