import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import type { EgressDenial } from "../../../ports/egress.ts";
import type { ConnectTarget } from "./connect-target.ts";
import { type AllowedRanges, isPublicAddress } from "./public-address.ts";

export type TargetDenial = Extract<EgressDenial, "unresolved" | "private_address" | "unreachable">;

/** All addresses of a name. */
export type ResolveName = (host: string) => Promise<readonly string[]>;

/** By the system's resolver. */
export const systemResolver: ResolveName = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

export interface OpeningOptions {
  readonly resolve: ResolveName;
  readonly allowedRanges: AllowedRanges;
  /** For the name, and for each address that is tried. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/** A name with more addresses than these has enough that answer. */
const MOST_TRIES = 3;

/**
 * Connects to a name. It is resolved once, here, and the connection goes to the very address that was
 * looked at: what the name means a moment later is of no account. One address that is not public among
 * many is enough to refuse them all.
 */
export async function openTarget(
  { host, port }: ConnectTarget,
  options: OpeningOptions,
): Promise<Socket | TargetDenial> {
  const { resolve, allowedRanges, withinMs, signal } = options;
  const late = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  const addresses = await Promise.race([resolve(host).catch(() => []), aborted(late)]);
  if (addresses.length === 0) {
    return "unresolved";
  }
  if (!addresses.every((address) => isPublicAddress(address, allowedRanges))) {
    return "private_address";
  }
  for (const address of addresses.slice(0, MOST_TRIES)) {
    const socket = signal.aborted ? undefined : await connected(address, port, options);
    if (socket !== undefined) {
      return socket;
    }
  }
  return "unreachable";
}

function aborted(signal: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve([]);
    }
    signal.addEventListener("abort", () => resolve([]), { once: true });
  });
}

/** @returns undefined when nobody answers */
function connected(
  address: string,
  port: number,
  { withinMs, signal }: OpeningOptions,
): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
  const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
  const giveUp = (): void => {
    socket.destroy();
    resolve(undefined);
  };
  const timer = setTimeout(giveUp, withinMs);
  signal.addEventListener("abort", giveUp);
  // Stays: a socket without a listener for errors ends the process.
  socket.on("error", giveUp);
  socket.once("connect", () => resolve(socket));
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  });
}
