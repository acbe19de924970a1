import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { SpeckitError } from "../../domain/speckit-error.ts";
import { exitOf } from "./exit-of.ts";
import { KEEPER_SCRIPT, keeperSeconds, RAN_OUT_EXIT_CODE } from "./keeper-script.ts";

const READY_WITHIN_MS = 10_000;
/** After the pipe is closed the keeper is gone in a millisecond; this is for one that is not. */
const KILL_AFTER_MS = 1_000;
/** Lines waiting in a frozen keeper's pipe; later ones add nothing and are dropped. */
const UNSENT_MAX_BYTES = 256;

/** One keeper process, seen from its supervisor. See `keeper-script.ts`. */
export interface Keeper {
  readonly pid: number;
  readonly keepAlive: (ms: number) => void;
  /** SIGTERM to everything the keeper answers for. */
  readonly term: () => void;
  /** Ends the keeper and everything it answers for. Safe to repeat. */
  readonly close: () => void;
  /** Settles when it is gone (and, in a PID namespace, everything in it). Never rejects. */
  readonly gone: Promise<{ readonly ranOut: boolean }>;
}

/**
 * Starts a keeper and waits until it listens.
 *
 * @param launch what to put before bash, for example `unshare` with its options
 * @param target `-1` inside a PID namespace, else `-<process group>`
 * @throws SpeckitError `INTERNAL_ERROR` with the reason when it does not come up
 */
export async function openKeeper(options: {
  readonly launch: readonly string[];
  readonly bash: string;
  readonly target: string;
  readonly keepAliveMs: number;
}): Promise<Keeper> {
  const bashArguments = ["--noprofile", "--norc", "-c", KEEPER_SCRIPT, "speckit-keeper"];
  const scriptArguments = [keeperSeconds(options.keepAliveMs), options.target];
  const [file = options.bash, ...rest] = [
    ...options.launch,
    options.bash,
    ...bashArguments,
    ...scriptArguments,
  ];
  const child = execa(file, rest, {
    cwd: "/",
    env: { LC_ALL: "C" },
    extendEnv: false,
    // Out of the terminal's process group: Ctrl-C and Ctrl-Z are the supervisor's business alone.
    detached: true,
    cleanup: false,
    buffer: false,
    reject: false,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  if (child.pid === undefined) {
    const { originalMessage } = await child;
    throw notUp(originalMessage ?? "unknown error");
  }
  const line = child.stdio[3] as unknown as Writable;
  // The keeper may be gone before we know: EPIPE is no news, `gone` says it.
  line.on("error", () => {});
  let words = "";
  child.stderr.on("data", (piece: Buffer) => {
    words = (words + piece.toString("utf8")).slice(0, 500);
  });
  const ready = new Promise<true>((resolve) => child.stdout.once("data", () => resolve(true)));
  const gone = exitOf(child.nodeChildProcess).then(({ exitCode }) => {
    line.destroy();
    return { ranOut: exitCode === RAN_OUT_EXIT_CODE };
  });
  let closed = false;
  const close = () => {
    if (closed) {
      return;
    }
    closed = true;
    line.destroy();
    const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    void gone.then(() => clearTimeout(timer));
  };
  const send = (text: string) => {
    if (!closed && line.writable && line.writableLength < UNSENT_MAX_BYTES) {
      line.write(`${text}\n`);
    }
  };

  const timer = new AbortController();
  const isUp = await Promise.race([
    ready,
    gone.then(() => false),
    sleep(READY_WITHIN_MS, false, { signal: timer.signal }).catch(() => false),
  ]);
  timer.abort();
  if (!isUp) {
    close();
    await gone;
    const why = words.trim().split("\n")[0] || `no sign of life within ${READY_WITHIN_MS} ms`;
    throw notUp(why);
  }
  return {
    pid: child.pid,
    keepAlive: (ms) => send(keeperSeconds(ms)),
    term: () => send("term"),
    close,
    gone,
  };
}

/** `cause` has the bare reason. */
function notUp(why: string): SpeckitError {
  return new SpeckitError("INTERNAL_ERROR", `The agent's keeper did not start: ${why}`, {
    cause: new Error(why),
  });
}
