/** The agent was called or scripted wrongly: told in one line, exit code 2. */
export class WrongCall extends Error {}
