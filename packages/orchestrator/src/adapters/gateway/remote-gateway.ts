import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ModelCallRepository } from "../../ports/model-call-repository.ts";
import type { ModelAccess, ModelGateway } from "../../ports/model-gateway.ts";
import { attemptAccount } from "./attempt-account.ts";
import type { AttemptTokenSigner } from "./attempt-token.ts";
import { openai } from "./shapes/openai.ts";

/** How often an attempt's rows are read while it runs. */
const POLL_MS = 3_000;

export interface RemoteGatewayOptions {
  readonly signer: AttemptTokenSigner;
  readonly modelCalls: ModelCallRepository;
  /** Of the bridge in the job's container, which leads to the gateway's socket. */
  readonly bridgePort: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default 3 s. */
  readonly pollMs?: number;
}

/**
 * The gateway as a worker sees it whose jobs are in containers: another process makes the calls, and
 * what came of them is read from the store. The same rules end an attempt here as in process, by the
 * same account, fed with rows; an access that is opened again for an attempt counts from its first call.
 */
export function remoteModelGateway(options: RemoteGatewayOptions): ModelGateway {
  const { signer, modelCalls, bridgePort, clock, logger, pollMs = POLL_MS } = options;
  return {
    async open(attempt): Promise<ModelAccess> {
      const token = await signer.signModel(attempt);
      // Costs are the gateway's word: prices are not looked at here.
      const account = attemptAccount(attempt, {});
      const listeners = new Set<() => void>();
      const over = new AbortController();
      let lastId = 0;
      let heardMs: number | undefined;

      const readNew = async (): Promise<void> => {
        for (;;) {
          const read = await modelCalls.callsOf(attempt, lastId);
          lastId = read.lastId;
          for (const call of read.calls) {
            account.add(call);
          }
          const nowHeardMs = read.heardAt?.getTime() ?? 0;
          // What was heard before somebody listened is no news.
          if (heardMs !== undefined && nowHeardMs > heardMs) {
            for (const listener of listeners) {
              listener();
            }
          }
          heardMs = nowHeardMs;
          if (read.calls.length === 0) {
            return;
          }
        }
      };
      // One after the other: two at once would count the same rows twice.
      let reading: Promise<void> = Promise.resolve();
      const read = (): Promise<void> => {
        reading = reading.then(readNew, readNew);
        return reading;
      };
      const poll = async (): Promise<void> => {
        while (!over.signal.aborted) {
          await read().catch((error: unknown) => {
            const { runId, phase, attempt: ordinal } = attempt;
            const fields = { runId, phase, attempt: ordinal, error: String(error) };
            logger.warn("model calls not read", fields);
          });
          await clock.sleep(pollMs, over.signal);
        }
      };
      const polling = poll();

      return {
        baseUrl: `http://127.0.0.1:${bridgePort}${openai.prefix}`,
        token,
        async report() {
          await read();
          return account.report();
        },
        ended: account.ended,
        onHeard: (listener) => void listeners.add(listener),
        async [Symbol.asyncDispose]() {
          over.abort();
          await polling;
        },
      };
    },
  };
}
