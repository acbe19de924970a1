import { Violation } from "../world/violation.ts";

/** @throws Violation when what must not be is */
export function refuse(isBroken: boolean, invariant: string, what: string): void {
  if (isBroken) {
    throw new Violation(invariant, what);
  }
}
