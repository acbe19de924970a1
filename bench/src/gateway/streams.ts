import { setTimeout as pause } from "node:timers/promises";
import { turn } from "@speckit/mock-model";
import type { Bench } from "../bench.ts";
import { megabytes } from "../format.ts";
import { memoryOf, peakMemoryOf } from "../process-facts.ts";
import { PROVIDERS, targetOf } from "./call-model.ts";
import { openGatewaySubject } from "./gateway-subject.ts";

const STREAMS = 100;
const OF_AN_ATTEMPT = 10;
/** Of the same size whatever is streamed: longer streams have more of them. */
const PIECE_BYTES = 16_000;
/** How long a stream goes on at least: long enough for all to be open at a time. */
const LASTS_MS = 4_000;

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
  const pieces = Math.ceil(bytes / STREAMS / PIECE_BYTES);
  const piece = { type: "response.output_text.delta", delta: "x".repeat(PIECE_BYTES) };
  const { events } = turn();
  await using subject = await openGatewaySubject(bench, `gateway-${readers}-${bytes}`, () => ({
    kind: "stream",
    events: [
      ...events.slice(0, 1),
      ...Array.from({ length: pieces }, () => piece),
      ...events.slice(-1),
    ],
    ending: "end",
    pauseMs: Math.round(LASTS_MS / pieces),
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
  // Who reads slowly lets the model wait for longer than it would take.
  await pause(readers === "slow" ? 2 * LASTS_MS : LASTS_MS / 2);
  const middle = await memoryOf(pid);
  isOver.resolve();
  await all;
  const peak = await peakMemoryOf(pid);
  return before === undefined || middle === undefined || peak === undefined
    ? undefined
    : [before, middle, peak];
}
