import type { ModelAccess, ModelGateway } from "../../ports/model-gateway.ts";
import {
  type AnsweringParts,
  answerRequest,
  INVALID_TOKEN,
  type OpenAccess,
  type RefusedToken,
} from "./answer-request.ts";
import { answeringParts, tellRefused } from "./answering-parts.ts";
import { attemptAccount } from "./attempt-account.ts";
import { attemptTokenSigner } from "./attempt-token.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { openHttpDoor } from "./http-door.ts";
import { openai } from "./shapes/openai.ts";

export type RunningGateway = ModelGateway & AsyncDisposable;

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
  const { clock, logger, deploymentId = "local" } = options;
  const upstream = answeringParts(options);
  const signer = attemptTokenSigner({ deploymentId, now: clock.now });
  const accesses = new Map<string, OpenAccess>();
  const parts: AnsweringParts = {
    ...upstream,
    // A token that was changed, or signed elsewhere, is none that was given out here.
    admit: async (token) => accesses.get(token) ?? NO_ACCESS,
  };
  const door = await openHttpDoor(
    (request, response) => {
      answerRequest(parts, request, response).catch((error: unknown) => {
        logger.error("model call not answered", { error: String(error) });
        response.destroy();
      });
    },
    "loopback",
    (why) => tellRefused(upstream, why),
  );

  return {
    async open(attempt): Promise<ModelAccess> {
      const account = attemptAccount(attempt, parts.prices);
      const closing = new AbortController();
      const listeners = new Set<() => void>();
      const expiresAtMs = clock.monotonicMs() + attempt.expiresInMs;
      const access: OpenAccess = {
        attempt,
        account,
        isExpired: () => clock.monotonicMs() >= expiresAtMs,
        record: async (call) => account.add(call),
        onHeard: () => {
          for (const listener of listeners) {
            listener();
          }
        },
        closed: closing.signal,
        open: new Set(),
      };
      const token = await signer.signModel(attempt);
      accesses.set(token, access);
      return {
        baseUrl: `http://127.0.0.1:${door.port}${openai.prefix}`,
        token,
        report: async () => account.report(),
        ended: account.ended,
        onHeard: (listener) => void listeners.add(listener),
        async [Symbol.asyncDispose]() {
          accesses.delete(token);
          closing.abort();
          await Promise.allSettled(access.open);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      accesses.clear();
      await door[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

const NO_ACCESS: RefusedToken = {
  refusal: "unknown_token",
  reason: "no access is open for it",
  answer: INVALID_TOKEN,
};
