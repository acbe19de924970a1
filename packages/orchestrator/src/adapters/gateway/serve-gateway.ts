import { chmod } from "node:fs/promises";
import type { AttemptAuthority } from "../../ports/attempt-authority.ts";
import { answerJob } from "./answer-job.ts";
import {
  type AnsweringParts,
  answerRequest,
  INVALID_TOKEN,
  type OpenAccess,
  type RefusedToken,
} from "./answer-request.ts";
import { answeringParts, tellRefused } from "./answering-parts.ts";
import { type AttemptAccount, attemptAccount } from "./attempt-account.ts";
import { attemptDoors } from "./attempt-doors.ts";
import type { TokenUse } from "./attempt-token.ts";
import {
  type AttemptWatchOptions,
  RECHECK_MS,
  type WatchedAttempt,
  watchAttempts,
} from "./attempt-watch.ts";
import { callLedger } from "./call-ledger.ts";
import { type EgressOptions, egressDoor } from "./egress/egress-door.ts";
import { refuseForwarding } from "./egress/proxy-request.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { type HttpDoor, openHttpDoor } from "./http-door.ts";
import type { OwnAnswer } from "./own-answer.ts";
import { refusalRows } from "./refusal-rows.ts";
import { removeStaleSocket } from "./stale-socket.ts";
import { type Admission, admitToken, type Through } from "./token-door.ts";

export interface ServingOptions
  extends GatewayOptions,
    Pick<AttemptWatchOptions, "recheckMs" | "failClosedMs"> {
  readonly deploymentId: string;
  readonly authority: AttemptAuthority;
  /**
   * Absolute path, in a folder that no job sees: whose token comes through here nothing tells. Beside it are the
   * folders of attempts, of which each job sees its own; their paths must fit into a socket's 107 bytes.
   */
  readonly socketPath: string;
  /** After how long the folder of an attempt that never was live is removed, in milliseconds. Default an hour. */
  readonly neverLiveMs?: number;
  /** Where agents may go besides their model. */
  readonly egress: EgressOptions;
}

/** Disposing it cuts every call. */
export interface ServedGateway extends AsyncDisposable {
  /** How long no attempt was known to be live. */
  readonly idleForMs: () => number;
  /** How long ago the authority was asked that has answered; infinite: it never has. */
  readonly storeAnsweredAgoMs: () => number;
  /** Takes nothing new, and resolves when open calls have ended, at the latest after `withinMs`. */
  readonly drain: (withinMs: number) => Promise<void>;
}

/** Everybody may connect who sees its folder: no job does, but for those of workers from before jobs had their own. */
const SOCKET_MODE = 0o666;

/**
 * The same gateway for attempts it has never heard of: sockets in the file system, one for each attempt, which
 * containers without a network see, and no state of its own.
 *
 * Who holds what. A worker signs an attempt's tokens with a key of its own, whose public half is stored
 * with the attempt before its container starts. The authority (the deployment's database, by its
 * functions) says whether the attempt is live and which key that is: attempt-watch asks it and keeps
 * its word for a while. What an attempt may still use is in its token; what it has used is in the
 * store, where each ended call is recorded before its agent can know of the end (call-ledger). So a
 * gateway that starts again in the middle of an attempt goes on counting where the other has ended.
 *
 * What happens when it is cut:
 *
 * - The store is away: open calls go on, and new ones of attempts known to be live, for 45 s since the
 *   last good word; then they are cut and refused with 503. Records are kept here meanwhile, and lost
 *   with this process: then limits count less than was used. No start ticket is given.
 * - The attempt ends, is cancelled or is taken over: its calls are cut within 15 s, with 401 for what
 *   comes after that.
 * - This process is told to end: it takes nothing new, lets open calls finish, stores what it kept.
 * - It dies: agents lose their connections and try again, for as long as their entry program lets them.
 *   Calls that were open are not counted.
 */
export async function serveGateway(options: ServingOptions): Promise<ServedGateway> {
  const { authority, clock, logger, deploymentId, socketPath } = options;
  await using undo = new AsyncDisposableStack();
  const upstream = undo.use(answeringParts(options));
  const watch = undo.use(watchAttempts(options));
  const ledger = callLedger(options);
  const becomesRow = refusalRows();
  const admit = (token: string, use: TokenUse, through: Through): Promise<Admission> =>
    admitToken({ watch, deploymentId, clock }, token, use, through);
  const accounts = new WeakMap<WatchedAttempt, AttemptAccount>();
  const accountOf = ({ watched, claims }: Extract<Admission, { watched: unknown }>) => {
    const account =
      accounts.get(watched) ??
      attemptAccount(
        { phase: watched.name.phase, limits: claims.limits },
        upstream.prices,
        watched.spent,
      );
    accounts.set(watched, account);
    return account;
  };

  const partsFor = (through: Through): AnsweringParts => ({
    ...upstream,
    async admit(token): Promise<OpenAccess | RefusedToken> {
      const admission = await admit(token, "model", through);
      if ("reason" in admission) {
        const answer = admission.because === "unsure" ? ATTEMPT_UNKNOWN : INVALID_TOKEN;
        return { ...admission, answer };
      }
      const { watched } = admission;
      const account = accountOf(admission);
      return {
        attempt: watched.name,
        account,
        isExpired: () => false,
        async record(call) {
          account.add(call);
          if (becomesRow(watched, call)) {
            await ledger.record(watched.name, call);
          }
        },
        onHeard: watched.heard,
        closed: watched.closed(),
        open: watched.open,
      };
    },
  });
  const jobPartsFor = (through: Through) => ({
    authority,
    admit: (token: string) => admit(token, "start", through),
    isAway: watch.isAway,
    meter: upstream.meter,
    tellRefusal: upstream.tellRefusal,
    logger,
  });

  await removeStaleSocket(socketPath);
  let open = 0;
  const egress = egressDoor({
    ...options.egress,
    admit: (token, through) => admit(token, "egress", through),
    meter: upstream.meter,
    tellRefusal: upstream.tellRefusal,
    clock,
    logger,
  });
  const openDoor = (path: string, through: Through): Promise<HttpDoor> => {
    const parts = partsFor(through);
    const jobParts = jobPartsFor(through);
    return openHttpDoor(
      (request, response) => {
        open += 1;
        response.once("close", () => {
          open -= 1;
        });
        if (refuseForwarding(request, response)) {
          tellRefused(upstream, "forwarding_refused", through);
          return;
        }
        if (answerJob(jobParts, request, response)) {
          return;
        }
        answerRequest(parts, request, response).catch((error: unknown) => {
          logger.error("model call not answered", { error: String(error) });
          response.destroy();
        });
      },
      { socketPath: path },
      (why) => tellRefused(upstream, why, through),
      (request, socket, head) => egress.answer(request, socket, head, through),
    );
  };
  const door = undo.use(await openDoor(socketPath, undefined));
  await chmod(socketPath, SOCKET_MODE);
  const doors = undo.use(
    await attemptDoors({
      socketPath,
      open: openDoor,
      async isLive(name) {
        const found = await watch.find(name);
        return typeof found === "string" ? found : "live";
      },
      recheckMs: options.recheckMs ?? RECHECK_MS,
      neverLiveMs: options.neverLiveMs,
      clock,
      logger,
    }),
  );
  // Before the doors, which wait for every connection to be closed.
  undo.use(egress);

  const owned = undo.move();
  return {
    idleForMs: watch.idleForMs,
    storeAnsweredAgoMs: watch.answeredAgoMs,
    async drain(withinMs) {
      const endMs = clock.monotonicMs() + withinMs;
      const leftMs = (): number => Math.max(0, endMs - clock.monotonicMs());
      doors.stopTaking();
      door.stopTaking();
      while (open + egress.open() > 0 && leftMs() > 0) {
        await clock.sleep(Math.min(leftMs(), 50));
        doors.stopTaking();
        door.stopTaking();
      }
      await ledger.flush(leftMs());
    },
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync();
      await ledger.flush(LAST_FLUSH_MS);
    },
  };
}

/** Calls that were cut at the very end are recorded too, where the store answers. */
const LAST_FLUSH_MS = 2_000;

const ATTEMPT_UNKNOWN: OwnAnswer = {
  status: 503,
  code: "attempt_unknown",
  message: "Nobody can say at the moment whether the token's attempt is still open.",
  retryAfterSeconds: 2,
};
