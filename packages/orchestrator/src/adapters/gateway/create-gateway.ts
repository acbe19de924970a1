import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { EnvHttpProxyAgent } from "undici";
import type { ModelAccess, ModelAttempt, ModelGateway } from "../../ports/model-gateway.ts";
import {
  type AnsweringParts,
  answerRequest,
  BASE_PATH,
  type OpenAccess,
} from "./answer-request.ts";
import { attemptAccount } from "./attempt-account.ts";
import { tokenSigner } from "./attempt-token.ts";
import { credentialRest } from "./credential-rest.ts";
import { checkedUpstream, DEFAULT_HANG_MS, type GatewayOptions } from "./gateway-options.ts";

export type RunningGateway = ModelGateway & AsyncDisposable;

/** An idle connection of an agent is kept longer than agents keep one, so that none closes under a call. */
const KEEP_ALIVE_MS = 120_000;
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * The way from agents to their model: a small HTTP server on loopback that looks like the provider.
 *
 * Who holds what. The real key is in this process's memory and on the connection to the provider;
 * an agent gets a token, which opens this door for one attempt and nothing else. The token is
 * signed and names deployment, run, phase, attempt, limits and expiry; the access it opens lives
 * here, with what the attempt has called so far. The credential's cool-down is the deployment's, in
 * the store, since other processes use the same key.
 *
 * A call goes through these states, and is recorded once, before its agent can know of its end:
 *
 *   asked      token and expiry looked at, body read, limits counted, cool-down asked for.
 *              Anything wrong: refused, in the provider's words; the provider hears nothing.
 *   sent       with the real key, without what is the agent's own business (see pass-headers).
 *   answered   a good status: passed on as it comes, read on the side for its last event.
 *              An error: read first, so that a key that must rest does so before anybody tries again.
 *   ended      completed, failed, cut or hung.
 *
 * What happens when it is cut:
 *
 * - The agent hangs up, or its access is disposed: the upstream call is aborted, recorded as cut.
 * - The provider hangs up: the agent's connection is cut the same way, or gets 502 before headers.
 * - The provider falls silent for `hangMs`: aborted and recorded as hung; 504, or a cut stream. When
 *   the next call hangs as well the attempt is ended: its agent would go on trying.
 * - This process dies: tokens were signed with a key that dies with it, agents lose their
 *   connection, and what was spent in open calls is not counted. The store keeps the cool-down.
 * - The store is away: calls go on; what this process was told itself still holds (credential-rest).
 *
 * A limit may be overrun by the calls that are open when it is crossed (agents have one open at a
 * time), and by what cut calls have used: their tokens are told to nobody.
 */
export async function createGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { clock, logger, prices = {}, hangMs = DEFAULT_HANG_MS, deploymentId = "local" } = options;
  const upstream = checkedUpstream(options.upstream);
  const accesses = new Map<string, OpenAccess>();
  const key = options.signingKey ?? randomBytes(32);
  const signer = tokenSigner({ key, deploymentId, now: clock.now });
  // Silence is watched for call by call, from before the connection is made: no time-outs here.
  const dispatcher = new EnvHttpProxyAgent({ headersTimeout: 0, bodyTimeout: 0 });
  const parts: AnsweringParts = {
    upstream,
    dispatcher,
    rest: credentialRest({ ...options, logger }),
    hangMs,
    clock,
    prices,
    logger,
    async accessOf(token) {
      const id = await signer.accessOf(token);
      return id === undefined ? undefined : accesses.get(id);
    },
  };
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    answerRequest(parts, request, response).catch((error: unknown) => {
      logger.error("model call not answered", { error: String(error) });
      response.destroy();
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    async open(attempt): Promise<ModelAccess> {
      const id = randomUUID();
      const closing = new AbortController();
      const access = openAccess(parts, attempt, closing.signal);
      const token = await signer.sign(id, attempt);
      accesses.set(id, access);
      const { calls, usage, ended } = access.account;
      return {
        baseUrl: `http://127.0.0.1:${port}${BASE_PATH}`,
        token,
        calls,
        usage,
        ended,
        onHeard: (listener) => void access.listeners.add(listener),
        async [Symbol.asyncDispose]() {
          accesses.delete(id);
          closing.abort();
          await Promise.allSettled(access.open);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      accesses.clear();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await dispatcher.destroy();
    },
  };
}

function openAccess(
  { clock, prices }: AnsweringParts,
  attempt: ModelAttempt,
  closed: AbortSignal,
): OpenAccess {
  const expiresAtMs = clock.monotonicMs() + attempt.expiresInMs;
  return {
    attempt,
    account: attemptAccount(attempt, prices),
    isExpired: () => clock.monotonicMs() >= expiresAtMs,
    listeners: new Set(),
    closed,
    open: new Set(),
  };
}
