import { type Diagnosis, problem } from "../../../ports/diagnosis.ts";
import type { BrokerAddress } from "../broker-address.ts";
import { translateBrokerError } from "../broker-errors.ts";

const LOGIN =
  "Correct user, password and virtual host in AMQP_URL (or the file of AMQP_URL_FILE), or let the user in: rabbitmqctl set_permissions.";

/** Why there is no connection, and whose matter that is. */
export function refusedLogin(error: unknown, { description }: BrokerAddress): Diagnosis {
  const { code, message } = translateBrokerError(error, description);
  return problem("broker.connection", message, code === "SERVICE_REFUSED" ? LOGIN : undefined);
}
