import { hostNameOf } from "../../../domain/host-name.ts";

/** Where a CONNECT wants to go. */
export interface ConnectTarget {
  /** In the form of {@link hostNameOf}. */
  readonly host: string;
  readonly port: number;
}

const FORM = /^([^:@/?#[\]\s]+):([1-9]\d{0,4})$/;

/**
 * Reads a CONNECT's authority. A port is a must, an address is no name, and there is one way to write
 * a name: whatever two readers could understand differently is refused.
 */
export function connectTarget(authority: string): ConnectTarget | undefined {
  const [, name = "", digits] = FORM.exec(authority) ?? [];
  const host = hostNameOf(name);
  const port = Number(digits);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

const LONGEST = 255;

/** What was asked for instead, for the record: as much of it as is harmless to print. */
export function printable(authority: string): string {
  return authority.slice(0, LONGEST).replaceAll(/[^\w.:[\]*-]/g, "?");
}
