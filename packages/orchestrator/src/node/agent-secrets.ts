import { SpeckitError } from "../domain/speckit-error.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;
const MAX_NAMES = 20;
/** Shorter ones would mask ordinary words in what the agent prints. */
const MIN_LENGTH = 8;
const MAX_BYTES = 8 * 1024;

/** What a job sets itself, and what tells programs how to start others. */
const ITS_OWN =
  /^(?:PATH|HOME|LANG|TMPDIR|SPECIFY_.*|SPECKIT_.*|(?:HTTPS?|ALL|NO)_PROXY|LD_.*|NODE_OPTIONS|BASH_ENV|ENV)$/i;
/** What opens more than an agent is for. */
const OURS = new Set(["DATABASE_URL", "DATABASE_DIRECT_URL", "AMQP_URL", "GITHUB_TOKEN"]);

/**
 * The secrets of `SPECKIT_AGENT_SECRETS`, by variable.
 *
 * @param read what a variable, or the file that its `_FILE` twin names, holds
 * @throws SpeckitError `CONFIGURATION_INVALID` naming the variable, never a value
 */
export function agentSecrets(
  names: readonly string[],
  read: (name: string) => string | undefined,
): Readonly<Record<string, string>> {
  if (names.length > MAX_NAMES) {
    throw invalid(
      `SPECKIT_AGENT_SECRETS: expected at most ${MAX_NAMES} names, got ${names.length}`,
    );
  }
  return Object.fromEntries(names.map((name) => [name, secretOf(name, read)]));
}

function secretOf(name: string, read: (name: string) => string | undefined): string {
  const shown = JSON.stringify(name.slice(0, 100));
  if (!NAME.test(name)) {
    throw invalid(`SPECKIT_AGENT_SECRETS: expected names of variables, got ${shown}`);
  }
  if (ITS_OWN.test(name) || OURS.has(name)) {
    throw invalid(
      `SPECKIT_AGENT_SECRETS: expected variables of the agent, got ${shown}, which speckit has a use for`,
    );
  }
  const value = read(name);
  if (value === undefined) {
    throw invalid(
      `${name}: expected it or ${name}_FILE because SPECKIT_AGENT_SECRETS names it, got nothing`,
    );
  }
  if (value.length < MIN_LENGTH || Buffer.byteLength(value) > MAX_BYTES || value.includes("\0")) {
    throw invalid(
      `${name}: expected a secret of ${MIN_LENGTH} characters to ${MAX_BYTES} bytes without NUL, got one of another form`,
    );
  }
  return value;
}

function invalid(message: string): SpeckitError {
  return new SpeckitError("CONFIGURATION_INVALID", message);
}
