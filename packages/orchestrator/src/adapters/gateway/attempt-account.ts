import { type Failure, failure } from "../../domain/failure.ts";
import { modelFailure } from "../../domain/model-failure.ts";
import type { LiveAttempt } from "../../ports/attempt-authority.ts";
import type {
  ModelAccess,
  ModelAttempt,
  ModelCall,
  ModelReport,
  ModelUsage,
} from "../../ports/model-gateway.ts";
import type { Refusal } from "./own-answer.ts";
import { type ModelPrices, priceOf } from "./price-of.ts";

const KEPT_CALLS = 1_000;

/**
 * Calls in a row that may hang. Agents try a hung call again without a word, for longer than anybody
 * waits for a word of theirs: Codex thirty times. One more try saves the turn when one connection was
 * the trouble.
 */
const MAX_HUNG_IN_A_ROW = 2;

const NOTHING: LiveAttempt["spent"] = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  costUsd: 0,
  calls: 0,
};

/** What one attempt has called, and what its limits still allow. */
export interface AttemptAccount extends Pick<ModelAccess, "ended"> {
  readonly report: () => ModelReport;
  readonly add: (call: ModelCall) => void;
  /** Why the next call is not made; undefined: it may be. A limit that is found reached ends the attempt. */
  readonly refusal: (model: string | null) => Refusal | undefined;
}

/**
 * Counts an attempt's calls against what its run has left, and ends it when its model has gone silent.
 *
 * A call's tokens are known when it is over: the one that crosses a limit is let finish, and no
 * other is made. What a provider has not told (a call that was cut) counts for nothing.
 *
 * @param spent by calls that were counted elsewhere; default none
 */
export function attemptAccount(
  attempt: Pick<ModelAttempt, "phase" | "limits">,
  prices: ModelPrices,
  spent: LiveAttempt["spent"] = NOTHING,
): AttemptAccount {
  const { tokensLeft, usdLeft } = attempt.limits;
  const { promise: ended, resolve: end } = Promise.withResolvers<Failure>();
  const kept: ModelCall[] = [];
  const { costUsd: spentUsd, ...sum } = { ...spent };
  let answered = spent.calls;
  let knownUsd = spentUsd;
  let isPriceMissing = false;
  let hungInARow = 0;

  const usedTokens = (): number => sum.inputTokens + sum.outputTokens;
  const tokens = (): string =>
    `${attempt.phase}: used ${usedTokens()} tokens (${sum.inputTokens} in, ${sum.outputTokens} out) in ${counted(answered)}; the run had ${tokensLeft} left`;
  const cost = (): string =>
    `${attempt.phase}: ${counted(answered)} cost ${usd(knownUsd)}; the run had ${usd(usdLeft ?? 0)} left`;

  const endIf = (isReached: (used: number, left: number) => boolean): Refusal | undefined => {
    if (tokensLeft !== undefined && isReached(usedTokens(), tokensLeft)) {
      end(failure("TOKEN_LIMIT_REACHED", tokens()));
      return limitAnswer("token_limit_reached", tokens());
    }
    if (usdLeft !== undefined && isReached(knownUsd, usdLeft)) {
      end(failure("COST_LIMIT_REACHED", cost()));
      return limitAnswer("cost_limit_reached", cost());
    }
    return undefined;
  };

  const refusePrice = (model: string | null): Refusal => {
    const which = model === null ? "an unnamed model" : `the model ${model}`;
    const message = `${attempt.phase}: the price of ${which} is not known, and the run has a limit in USD`;
    end(failure("PRICE_UNKNOWN", message));
    return limitAnswer("price_unknown", message);
  };

  return {
    ended,
    add(call) {
      kept.push(call);
      if (kept.length > KEPT_CALLS) {
        kept.shift();
      }
      sum.calls += 1;
      answered += call.outcome === "refused" ? 0 : 1;
      if (call.usage !== null) {
        addUsage(sum, call.usage);
        knownUsd += call.costUsd ?? 0;
        isPriceMissing ||= call.costUsd === null;
      }
      hungInARow = call.outcome === "hung" ? hungInARow + 1 : 0;
      const hung = hungInARow >= MAX_HUNG_IN_A_ROW && modelFailure(call, call.startedAt);
      if (hung) {
        end(hung);
      }
      // What exactly fills a limit has not crossed it: it may have been the last call. One that was
      // refused for it shows that it was not, also where somebody else has refused it.
      const isRefused =
        call.errorCode === "token_limit_reached" || call.errorCode === "cost_limit_reached";
      endIf((used, left) => used > left || (isRefused && used >= left));
      if (call.errorCode === "price_unknown") {
        refusePrice(call.model);
      }
    },
    refusal(model) {
      if (usdLeft !== undefined && priceOf(prices, model) === undefined) {
        return refusePrice(model);
      }
      return endIf((used, left) => used >= left);
    },
    report: () => ({
      calls: [...kept],
      usage: { ...sum, costUsd: isPriceMissing ? null : knownUsd },
    }),
  };
}

function addUsage(sum: { -readonly [field in keyof ModelUsage]: number }, usage: ModelUsage): void {
  sum.inputTokens += usage.inputTokens;
  sum.cachedInputTokens += usage.cachedInputTokens;
  sum.outputTokens += usage.outputTokens;
}

function limitAnswer(code: Refusal["code"], message: string): Refusal {
  return { status: 403, code, message };
}

function counted(calls: number): string {
  return calls === 1 ? "1 call" : `${calls} calls`;
}

/** Small sums are what limits are about: four significant digits, no exponent. */
function usd(amount: number): string {
  return `$${Number(amount.toPrecision(4)).toFixed(amount >= 1 ? 2 : 6)}`;
}
