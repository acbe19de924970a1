import { createHash } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import type { CredentialRepository } from "../../ports/credential-repository.ts";
import type { Logger } from "../../ports/logger.ts";
import { type CredentialRest, credentialRest } from "./credential-rest.ts";
import type { GatewayMeter } from "./gateway-meter.ts";
import { type CallAnswer, keyVerdict } from "./key-verdict.ts";

/** How long a key is passed over that its provider has refused, where there is another. */
const REFUSED_MS = 600_000;

/** One key of a provider. */
export interface ProviderKey {
  readonly apiKey: string;
  /** In logs and in the store: tells keys apart, and is worth nothing. */
  readonly name: string;
}

/**
 * The keys of one provider, in turns.
 *
 * A run stays with one key as long as that is not asked to rest, since what a provider has cached of a
 * conversation is its account's; which one is first follows from the run, so that many runs use all of
 * them. A key that was told to wait rests for its own time, in the store, under its own name: every
 * gateway of the deployment leaves it alone. One that was refused is passed over for ten minutes, by this
 * process alone: the provider's word about it is what the agent must hear when there is no other key, and
 * a call that is refused for what the agent asked must not cost anybody a key.
 *
 * When all keys rest, the credential they stand for rests until the first of them may be used again: its
 * runs wait for that. A single key is its credential: they have one name.
 */
export interface KeyPool {
  /** @param owner the run: the same one gets the same key as long as it may be used */
  readonly take: (owner: string) => Promise<ProviderKey | { readonly restsForMs: number }>;
  /** One more for a call that a key was refused for; undefined: there is none that may be used. */
  readonly another: (
    owner: string,
    tried: ReadonlySet<ProviderKey>,
  ) => Promise<ProviderKey | undefined>;
  /**
   * Takes note of what an answer says about the key it was for. Never rejects.
   *
   * @returns whether the key is the reason why the call did not go well
   */
  readonly heed: (key: ProviderKey, answer: CallAnswer) => Promise<boolean>;
  /** Milliseconds until one of the keys may be used; 0: now. */
  readonly restsForMs: () => Promise<number>;
  /** A text without any of the keys. */
  readonly redacted: (text: Buffer) => Buffer;
}

interface PooledKey extends ProviderKey {
  readonly rest: CredentialRest;
  refusedUntilMs: number;
}

export function keyPool(options: {
  readonly credential: string;
  readonly apiKeys: readonly string[];
  readonly credentials: CredentialRepository;
  readonly meter: GatewayMeter;
  readonly clock: Clock;
  readonly logger: Logger;
}): KeyPool {
  const { credential, apiKeys, meter, clock, logger } = options;
  const isOne = apiKeys.length === 1;
  const keys = apiKeys.map((apiKey): PooledKey => {
    const name = isOne ? credential : `${credential}/${fingerprintOf(apiKey)}`;
    const rest = credentialRest({ ...options, credential: name });
    return { apiKey, name, rest, refusedUntilMs: Number.NEGATIVE_INFINITY };
  });
  const all = credentialRest(options);
  const isRefused = ({ refusedUntilMs }: PooledKey): boolean =>
    clock.monotonicMs() < refusedUntilMs;
  const inTurn = (owner: string): readonly PooledKey[] => {
    const first = isOne
      ? 0
      : createHash("sha256").update(owner).digest().readUInt32BE() % keys.length;
    return [...keys.slice(first), ...keys.slice(0, first)];
  };
  const restOf = async (asked: readonly PooledKey[]): Promise<number> =>
    Math.min(...(await Promise.all(asked.map(({ rest }) => rest.restsForMs()))));

  const usable = async (asked: readonly PooledKey[]): Promise<PooledKey | undefined> => {
    for (const key of asked) {
      if (!isRefused(key) && (await key.rest.restsForMs()) === 0) {
        return key;
      }
    }
    return undefined;
  };

  return {
    async take(owner) {
      const turns = inTurn(owner);
      const key = await usable(turns);
      if (key !== undefined) {
        return key;
      }
      const resting = turns.filter((one) => !isRefused(one));
      // None but refused ones: then the provider's own word about them is what there is to say.
      const restsForMs = await restOf(resting.length > 0 ? resting : turns);
      return restsForMs === 0 && turns[0] !== undefined ? turns[0] : { restsForMs };
    },
    another: (owner, tried) => usable(inTurn(owner).filter((key) => !tried.has(key))),
    async heed(key, answer) {
      const pooled = keys.find((one) => one === key);
      const verdict = keyVerdict(answer);
      if (pooled === undefined || verdict === undefined) {
        return false;
      }
      meter.rests(verdict);
      if (verdict === "refused") {
        pooled.refusedUntilMs = clock.monotonicMs() + REFUSED_MS;
        logger.warn("key refused by its provider", { credential: key.name });
        return true;
      }
      await pooled.rest.coolDown(answer.resetsInMs, verdict);
      const restsForMs = isOne ? 0 : await restOf(keys);
      if (restsForMs > 0) {
        await all.coolDown(restsForMs, verdict);
      }
      return true;
    },
    restsForMs: () => restOf(keys),
    redacted: (text) =>
      keys.reduce((left, { apiKey }) => {
        return left.includes(apiKey)
          ? Buffer.from(left.toString("utf8").replaceAll(apiKey, "[redacted]"))
          : left;
      }, text),
  };
}

/** Cut short: it tells a handful of keys apart. */
function fingerprintOf(apiKey: string): string {
  return createHash("sha256").update(apiKey).digest("hex").slice(0, 12);
}
