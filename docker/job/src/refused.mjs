/** Exit codes of the entry program itself; they count only together with its last line. */
export const exitCodes = /** @type {const} */ ({
  secrets_missing: 93,
  not_started: 94,
  fenced: 95,
  gateway_unreachable: 96,
  start_refused: 97,
  no_space: 98,
  egress_open: 99,
});

/** The entry program's own reason to end: the agent was not started, or not left to go on. */
export class Refused extends Error {
  /**
   * @param {keyof typeof exitCodes} code
   * @param {string} detail one line for people, without a token
   * @param {Record<string, unknown>} [facts]
   */
  constructor(code, detail, facts = {}) {
    super(detail);
    this.code = code;
    this.facts = facts;
  }
}
