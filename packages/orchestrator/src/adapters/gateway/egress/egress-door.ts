import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type EgressRule, ruleThatAllows } from "../../../domain/egress-rule.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { EgressDenial, EgressJournal } from "../../../ports/egress.ts";
import type { Logger } from "../../../ports/logger.ts";
import type { WatchedAttempt } from "../attempt-watch.ts";
import type { GatewayMeter } from "../gateway-meter.ts";
import type { RefusalLog } from "../refusal-log.ts";
import type { Admission, Through } from "../token-door.ts";
import { awaitClientHello } from "./await-client-hello.ts";
import { acceptConnect, type ConnectRefusal, refuseConnect } from "./connect-answer.ts";
import { connectTarget, printable } from "./connect-target.ts";
import { type EgressAccount, egressAccount, type Target } from "./egress-account.ts";
import { egressLedger } from "./egress-ledger.ts";
import { openTarget, type ResolveName, systemResolver } from "./open-target.ts";
import { passBytes } from "./pass-bytes.ts";
import { proxyTokenOf, saysItHasBody } from "./proxy-request.ts";
import type { AllowedRanges } from "./public-address.ts";

export interface EgressOptions {
  /** The deployment's allow-list. Empty: nothing is let out. */
  readonly rules: readonly EgressRule[];
  readonly journal: EgressJournal;
  /** Tests alone set them: their targets have names that nobody knows, on this machine. */
  readonly resolve?: ResolveName;
  readonly allowedRanges?: AllowedRanges;
  /** For a name, for each address that is tried, and for a ClientHello. Default 10 s. */
  readonly withinMs?: number;
}

/** The gateway's second way out. Disposing it cuts every tunnel. */
export interface EgressDoor extends AsyncDisposable {
  /** Takes over the connection of a CONNECT. */
  readonly answer: (
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    through: Through,
  ) => void;
  /** Requests that are being answered, and tunnels. */
  readonly open: () => number;
}

const WITHIN_MS = 10_000;
/** Of one attempt. Package managers open some dozens. */
const MAX_TUNNELS = 128;
/** The last counts of tunnels that were cut at the very end. */
const LAST_FLUSH_MS = 2_000;

/**
 * Tunnels to what a deployment allows, for agents that have no network of their own.
 *
 * No proxy library does this: those that are kept well (proxy-chain 3 was read) bring a server of their
 * own on a TCP port, where this one shares a socket and its tokens with model calls, and connect a
 * tunnel's ends before anybody can look at its first bytes. What is left for us is small: Node's strict
 * HTTP parser reads the request, `ipaddr.js` knows the ranges.
 *
 * A CONNECT goes through these states; each may end it, with a reason that is stored with the attempt:
 *
 *   asked      a body, or bytes that did not wait for an answer: 400, nobody knows of which attempt. Then
 *              the token, as for model calls, of a purpose of its own: 407, or 503 when nobody can say.
 *   named      one form of a name and a port, and a rule that allows them in the attempt's phase.
 *   resolved   here, once; all addresses public; connected to one of those.
 *   accepted   200. For TLS the agent's first bytes must be a ClientHello to the very name, before the
 *              target hears anything: a certificate of another server is then no use to an agent.
 *   passing    bytes both ways, counted. Ends with its sides, after ten minutes without a byte, or with
 *              its attempt: attempt-watch closes it as it does model calls.
 *
 * What happens when it is cut: the counts of tunnels are stored when they are opened, every 5 s, and
 * when they are closed. A gateway that dies takes its tunnels with it, and what the last 5 s counted.
 *
 * What it cannot see: what is said inside TLS. A server that answers for several names (a content network)
 * may be asked for another one in there; allow no host that serves strangers.
 */
export function egressDoor(
  options: EgressOptions & {
    readonly admit: (token: string, through: Through) => Promise<Admission>;
    readonly meter: Pick<GatewayMeter, "refused" | "denied" | "opened">;
    readonly tellRefusal: RefusalLog;
    readonly clock: Clock;
    readonly logger: Logger;
  },
): EgressDoor {
  const { rules, admit, meter, tellRefusal, logger } = options;
  const { resolve = systemResolver, allowedRanges = [], withinMs = WITHIN_MS } = options;
  const ledger = egressLedger(options);
  const accounts = new WeakMap<WatchedAttempt, EgressAccount>();
  const sockets = new Set<Socket>();
  const work = new Set<Promise<void>>();
  const over = new AbortController();

  const accountOf = (watched: WatchedAttempt): EgressAccount => {
    const account = accounts.get(watched) ?? egressAccount(watched.name);
    accounts.set(watched, account);
    return account;
  };

  const answer: (...asked: Parameters<EgressDoor["answer"]>) => Promise<void> = async (
    request,
    socket,
    head,
    through,
  ) => {
    if (saysItHasBody(request) || head.length > 0) {
      meter.refused("connect_not_plain");
      tellRefusal("warn", "egress refused", {
        refusal: "connect_not_plain",
        reason: NOT_PLAIN.message,
      });
      refuseConnect(socket, NOT_PLAIN);
      return;
    }
    const token = proxyTokenOf(request);
    const admission = await admit(token ?? "", through);
    if ("reason" in admission) {
      const { refusal, reason, claimed, because } = admission;
      meter.refused(refusal);
      tellRefusal("warn", "egress refused", { refusal, reason, ...claimed });
      refuseConnect(socket, because === "unsure" ? ATTEMPT_UNKNOWN : NO_TOKEN);
      return;
    }
    const { watched } = admission;
    const tunnel = answerAttempt(watched, request.url ?? "", socket);
    watched.tunnels.add(tunnel);
    await tunnel.finally(() => watched.tunnels.delete(tunnel));
  };

  const answerAttempt = async (
    watched: WatchedAttempt,
    authority: string,
    socket: Socket,
  ): Promise<void> => {
    const account = accountOf(watched);
    const signal = AbortSignal.any([watched.closed(), over.signal]);
    const deny = async (target: Target, reason: EgressDenial): Promise<void> => {
      if (signal.aborted) {
        return; // It was not refused: its attempt is over.
      }
      account.deny(target, reason);
      meter.denied(reason);
      tellRefusal("info", "egress denied", {
        ...watched.name,
        ...target,
        refusal: reason,
        reason,
      });
      await ledger.record(account);
    };
    const refuse = async (target: Target, reason: keyof typeof REFUSALS): Promise<void> => {
      await deny(target, reason);
      const [status, message] = REFUSALS[reason];
      refuseConnect(socket, { status, code: reason, message });
    };

    const target = connectTarget(authority);
    if (target === undefined) {
      return refuse({ host: printable(authority), port: 0 }, "malformed_target");
    }
    const rule = ruleThatAllows(rules, { phase: watched.name.phase, ...target });
    if (rule === undefined) {
      return refuse(target, "not_allowed");
    }
    if (watched.tunnels.size >= MAX_TUNNELS) {
      return refuse(target, "too_many_open");
    }
    const opened = await openTarget(target, { resolve, allowedRanges, withinMs, signal });
    if (typeof opened === "string") {
      return refuse(target, opened);
    }
    try {
      acceptConnect(socket);
      const first =
        rule.protocol === "tcp"
          ? Buffer.alloc(0)
          : await awaitClientHello(socket, target.host, { withinMs, signal });
      if (!Buffer.isBuffer(first)) {
        await deny(target, first);
        return;
      }
      const { count, closed } = passBytes(socket, opened, { first, signal });
      const close = account.open(target, count);
      const ended = meter.opened();
      void ledger.record(account);
      await closed;
      close();
      ended(count());
      await ledger.record(account);
    } finally {
      opened.destroy();
      socket.destroy();
    }
  };

  const carry = (...asked: Parameters<EgressDoor["answer"]>): Promise<void> =>
    answer(...asked).catch((error: unknown) => {
      const [, socket] = asked;
      logger.error("egress not answered", { error: String(error) });
      socket.destroy();
    });

  return {
    answer(request, socket, head, through) {
      // An error without a listener would end the process; its "close" is what counts.
      socket.on("error", () => {});
      if (over.signal.aborted) {
        socket.destroy();
        return;
      }
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      const one = carry(request, socket, head, through);
      work.add(one);
      void one.finally(() => work.delete(one));
    },
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      over.abort();
      for (const socket of sockets) {
        socket.destroy();
      }
      await Promise.all(work);
      await ledger.flush(LAST_FLUSH_MS);
      ledger[Symbol.dispose]();
    },
  };
}

const REFUSALS = {
  malformed_target: [403, "expected a host's name and a port; addresses are not connected to"],
  not_allowed: [403, "this host and port are not on the deployment's allow-list for this phase"],
  private_address: [403, "the name leads to an address that is not a public one"],
  unresolved: [502, "the name has no address"],
  unreachable: [502, "nobody answers there"],
  too_many_open: [429, `an attempt may have ${MAX_TUNNELS} tunnels open at a time`],
} as const satisfies Partial<Record<EgressDenial, readonly [ConnectRefusal["status"], string]>>;

const NOT_PLAIN: ConnectRefusal = {
  status: 400,
  code: "connect_not_plain",
  message: "a CONNECT has no body, no Expect and no Upgrade, and waits for its answer",
};

const NO_TOKEN: ConnectRefusal = {
  status: 407,
  code: "invalid_token",
  message: "expected an egress token of an open attempt, once, as the proxy's password",
};

const ATTEMPT_UNKNOWN: ConnectRefusal = {
  status: 503,
  code: "attempt_unknown",
  message: "nobody can say at the moment whether the token's attempt is still open",
};
