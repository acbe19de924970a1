import { isSpeckitError, SpeckitError } from "../../domain/speckit-error.ts";

/**
 * A refusal during the handshake: amqplib reports it without a code, so these two are recognised by
 * its words (2.3.1): a refused user, and a virtual host that is not there or not allowed.
 */
const REFUSED_LOGIN = /^Handshake terminated by server: 403\b/;
const REFUSED_VIRTUAL_HOST = /^Expected ConnectionOpenOk; got <ConnectionClose\b/;

/**
 * What an error of amqplib or of the socket means: by reply code where there is one.
 *
 * `SERVICE_REFUSED` and `TOPOLOGY_CONFLICT` need a person; everything else is `BROKER_UNAVAILABLE`
 * and goes away by itself.
 */
export function translateBrokerError(cause: unknown, description: string): SpeckitError {
  if (isSpeckitError(cause)) {
    return cause as SpeckitError;
  }
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (REFUSED_LOGIN.test(text)) {
    return refused(`${description} refused the user or the password`, cause);
  }
  if (REFUSED_VIRTUAL_HOST.test(text)) {
    return refused(`${description} has no such virtual host, or does not let the user in`, cause);
  }
  if (code === 403) {
    return refused(`${description} refused a permission: ${text}`, cause);
  }
  if (code === 406 && text.includes("inequivalent arg")) {
    return new SpeckitError(
      "TOPOLOGY_CONFLICT",
      `${description} has an exchange or queue of the same name with other settings: ${text}`,
      { cause },
    );
  }
  return unavailable(`${description}: ${text || String(code)}`, cause);
}

export function unavailable(message: string, cause?: unknown): SpeckitError {
  return new SpeckitError("BROKER_UNAVAILABLE", message, { cause });
}

function refused(message: string, cause: unknown): SpeckitError {
  return new SpeckitError("SERVICE_REFUSED", message, { cause });
}
