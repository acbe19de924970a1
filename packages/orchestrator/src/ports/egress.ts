import type { JobName } from "./job-runtime.ts";

/** Why a way out was not opened, or was cut. */
export const EGRESS_DENIALS = [
  /** The target is no name and port in the one form that is taken, for example an address. */
  "malformed_target",
  /** The deployment does not allow the name, on this port and in this phase. */
  "not_allowed",
  /** The name's addresses are not all public ones. */
  "private_address",
  /** The name has no address, or it is not known in time. */
  "unresolved",
  /** Nobody answers there. */
  "unreachable",
  /** No ClientHello came, in time and in one piece. */
  "no_client_hello",
  /** The ClientHello names no server, or hides whom it names. */
  "no_server_name",
  /** It names another one. */
  "other_server_name",
  /** The attempt has as many tunnels open as it may. */
  "too_many_open",
] as const;
export type EgressDenial = (typeof EGRESS_DENIALS)[number];

/** What an attempt's requests for one target have come to so far. */
export interface EgressEntry {
  /** As the agent named it, cut and made printable where it is no name. */
  readonly host: string;
  /** 0: none that could be read. */
  readonly port: number;
  readonly outcome: "passed" | EgressDenial;
  readonly requests: number;
  /** From the agent to the target. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Tunnels that were open when this was told. */
  readonly open: number;
}

/** A worker's view of what its attempts have reached, which a gateway has recorded. */
export interface EgressRepository {
  /**
   * One entry for each target and outcome, in the order of their names.
   *
   * @throws SpeckitError `DATABASE_UNAVAILABLE`
   */
  readonly egressOf: (attempt: JobName) => Promise<readonly EgressEntry[]>;
}

/** One attempt's way out, besides the one to its model. */
export interface EgressAccess {
  /** What it may reach, as the allow-list has it. Empty: nothing. */
  readonly allowed: readonly string[];
  /** For the agent's environment: its proxy. Empty where nothing is allowed. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * What it has reached and was refused. Waits a moment for tunnels that are being closed.
   *
   * @throws SpeckitError `DATABASE_UNAVAILABLE`
   */
  readonly report: () => Promise<readonly EgressEntry[]>;
}

/** Gives attempts the way out that their deployment allows. */
export interface EgressGate {
  readonly open: (attempt: JobName, expiresInMs: number) => Promise<EgressAccess>;
}

/** Where a gateway keeps what attempts have reached. */
export interface EgressJournal {
  /**
   * Keeps how far an attempt's requests have come, also of one that has ended meanwhile. Numbers are
   * sums, which only grow: what is told twice under one source counts once.
   *
   * @param source a UUID of whoever counts: what several have counted is added up
   * @throws SpeckitError `DATABASE_UNAVAILABLE`
   */
  readonly recordEgress: (
    attempt: JobName,
    source: string,
    entries: readonly EgressEntry[],
  ) => Promise<void>;
}
