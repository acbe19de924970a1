/** Something that must never be was seen. Ends the schedule. */
export class Violation extends Error {
  override readonly name = "Violation";
  /** Stable name of the invariant, for example `one-success`. */
  readonly invariant: string;

  constructor(invariant: string, what: string) {
    super(what);
    this.invariant = invariant;
  }
}
