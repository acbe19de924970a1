import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";

/** After this long a known address is looked up again: servers move. */
const OLD_AFTER_MS = 300_000;
/** After a lookup that failed; a name server that is away must not be asked for every number. */
const RETRY_AFTER_MS = 30_000;

/** @returns the IPv4 address of a host */
export type Lookup = (host: string) => Promise<string>;

export interface KnownAddress {
  readonly address: string | undefined;
  /** An answer is about to come. */
  readonly isLooking: boolean;
}

export interface HostAddressOptions {
  readonly host: string;
  readonly lookup: Lookup | undefined;
  /** Called after each lookup, with what is known then and the error if it failed. */
  readonly onAnswer: (address: string | undefined, error: unknown) => void;
}

/**
 * The address of a host, by a lookup of our own. Left to the socket, each datagram would be a lookup,
 * and one that hangs takes one of the few threads that files and compression share: a dead name
 * server would slow down the runs.
 *
 * @returns gives the address as last known; what is old is looked up again meanwhile, never twice at
 * once
 */
export function hostAddress(options: HostAddressOptions): () => KnownAddress {
  const { host, lookup = ipv4Of, onAnswer } = options;
  if (isIP(host) === 4) {
    return () => ({ address: host, isLooking: false });
  }
  let known: string | undefined;
  let lookAtMs = 0;
  let isLooking = false;
  const look = async (): Promise<void> => {
    isLooking = true;
    let failed: unknown;
    try {
      known = await lookup(host);
    } catch (error) {
      failed = error;
    }
    isLooking = false;
    lookAtMs = performance.now() + (failed === undefined ? OLD_AFTER_MS : RETRY_AFTER_MS);
    onAnswer(known, failed);
  };
  return () => {
    if (!isLooking && performance.now() >= lookAtMs) {
      void look();
    }
    return { address: known, isLooking };
  };
}

async function ipv4Of(host: string): Promise<string> {
  return (await systemLookup(host, { family: 4 })).address;
}
