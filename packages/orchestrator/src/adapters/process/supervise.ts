import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Job, JobExit, JobLimits, JobListener, JobSpec } from "../../ports/job-runtime.ts";
import { ByteTail } from "../supervision/byte-tail.ts";
import { LineCutter } from "../supervision/line-cutter.ts";
import { Activity, pump } from "../supervision/pump.ts";
import { SecretMask } from "../supervision/secret-mask.ts";
import { STDERR_TAIL_BYTES } from "../supervision/stderr-tail.ts";
import { watchJob } from "../supervision/watch-job.ts";
import { keptFiles } from "./kept-files.ts";
import type { Launched } from "./launch.ts";

/** With everything gone, only a process that escaped can hold a pipe open: not waited for longer. */
const LAST_WORDS_MS = 1_000;

/**
 * Watches a started agent to its end.
 *
 * The end has one order, whoever began it: the main process ends (by itself, by SIGTERM, or by
 * SIGKILL when the grace is over) → the keeper's pipe is closed, which kills whatever is left →
 * everything is gone → the output is read to its end → `exit` settles.
 *
 * `exit` rejects when a listener fails (an artifact that cannot be written): everything is killed
 * first.
 */
export function superviseAgent(options: {
  readonly agent: Launched;
  readonly spec: JobSpec;
  readonly listener: JobListener;
  readonly limits: Omit<JobLimits, "keepAliveMs">;
  readonly signal: AbortSignal;
  readonly termGraceMs: number;
  readonly startedMs: number;
}): Job {
  const { agent, spec, listener, signal, startedMs } = options;
  const activity = new Activity();
  const lines = new LineCutter(listener.onLine);
  const tail = new ByteTail(STDERR_TAIL_BYTES);
  let endedBy: JobExit["endedBy"];
  let grace: NodeJS.Timeout | undefined;

  // Once the end is known, the ids we would signal may soon belong to others.
  let isOver = false;
  const kill = () => {
    if (!isOver) {
      agent.kill();
    }
  };

  const secrets = Object.values(spec.secrets ?? {});
  const outputs = [
    pumpMasked(agent.stdout, activity, secrets, async (piece) => {
      await listener.onStdout(piece);
      lines.push(piece);
    }),
    pumpMasked(agent.stderr, activity, secrets, async (piece) => {
      tail.push(piece);
      await listener.onStderr(piece);
    }),
  ];
  let listenerError: { readonly error: unknown } | undefined;
  const drained = Promise.all(
    outputs.map((output) =>
      output.catch((error: unknown) => {
        listenerError ??= { error };
        kill();
      }),
    ),
  );
  agent.stdin.end(spec.stdin);

  const stopWatching = watchJob({
    ...options.limits,
    activity,
    signal,
    onDue: (reason) => {
      if (endedBy === undefined) {
        endedBy = reason;
        agent.keeper.term();
        grace = setTimeout(kill, options.termGraceMs);
      }
    },
  });
  // Without its keeper (ran out, or killed by somebody) the agent must not go on.
  void agent.keeper.gone.then(kill);

  const finish = async (): Promise<JobExit> => {
    const main = await agent.ended;
    const durationMs = performance.now() - startedMs;
    stopWatching();
    clearTimeout(grace);
    kill();
    isOver = true;
    const { ranOut } = await agent.keeper.gone;
    await agent.allGone();
    agent.stdin.destroy();
    await lastWords(drained, activity, () => {
      agent.stdout.destroy();
      agent.stderr.destroy();
    });
    if (listenerError === undefined) {
      lines.end();
    } else {
      throw listenerError.error;
    }
    // What was done before its time ran out is done; anything else had not the time it needed.
    if (ranOut && main.exitCode !== 0) {
      endedBy ??= "keep_alive";
    }
    const kept = spec.keep === undefined ? {} : { kept: await keptFiles(spec.home, spec.keep) };
    return {
      ...main,
      ...kept,
      ...(endedBy === undefined ? {} : { endedBy }),
      durationMs: Math.round(durationMs),
      stderrTail: tail.text(),
    };
  };
  const exit = finish();
  // Whoever awaits `exit` hears of it; nobody else has to.
  exit.catch(() => {});
  return { exit, keepAlive: agent.keeper.keepAlive, heard: () => activity.touch() };
}

/** Hands on a stream without the secrets in it. */
async function pumpMasked(
  stream: Readable,
  activity: Activity,
  secrets: readonly string[],
  onPiece: (piece: Uint8Array) => Promise<void>,
): Promise<void> {
  const mask = new SecretMask(secrets);
  const tell = async (piece: Uint8Array): Promise<void> => {
    if (piece.length > 0) {
      await onPiece(piece);
    }
  };
  await pump(stream, activity, (piece) => tell(mask.push(piece)));
  await tell(mask.end());
}

/** Waits for the end of the output, or until nothing has come for a while. */
async function lastWords(
  drained: Promise<unknown>,
  activity: Activity,
  giveUp: () => void,
): Promise<void> {
  let isDrained = false;
  const done = drained.then(() => {
    isDrained = true;
  });
  const goneMs = performance.now();
  while (!isDrained) {
    const quietMs = Math.min(activity.silentMs(), performance.now() - goneMs);
    if (quietMs >= LAST_WORDS_MS) {
      giveUp();
      await done;
      return;
    }
    const stop = new AbortController();
    const wait = sleep(LAST_WORDS_MS - quietMs, undefined, { signal: stop.signal });
    await Promise.race([done, wait.catch(() => {})]);
    stop.abort();
  }
}
