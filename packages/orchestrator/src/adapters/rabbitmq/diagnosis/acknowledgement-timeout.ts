import { type Diagnosis, notLookedAt, warning } from "../../../ports/diagnosis.ts";

/** RabbitMQ's own. */
const DEFAULT_MS = 1_800_000;

/**
 * A broker takes back what is not acknowledged in time, and tells nobody over AMQP how long that is: what
 * can be seen is whether the configuration asks for more than its default.
 */
export function acknowledgementTimeout(heldMs: number): Diagnosis {
  const held = `a wake-up is held up to ${minutes(heldMs)} (SPECKIT_HOLD_MS and one phase)`;
  const look = `Set consumer_timeout in rabbitmq.conf above ${heldMs} (milliseconds)`;
  const compare = "`rabbitmqctl eval 'application:get_env(rabbit, consumer_timeout).'` shows it";
  return heldMs >= DEFAULT_MS
    ? warning(
        "broker.acknowledgement-timeout",
        `${held}, the broker takes it back after ${minutes(DEFAULT_MS)} unless configured`,
        `${look}, or lower SPECKIT_HOLD_MS or SPECKIT_PHASE_DEADLINE_MS; ${compare}.`,
      )
    : notLookedAt(
        "broker.acknowledgement-timeout",
        `AMQP does not tell it; ${held}, RabbitMQ's default is ${minutes(DEFAULT_MS)}`,
        `${look} where somebody has set it lower; ${compare}.`,
      );
}

function minutes(ms: number): string {
  return `${Math.round(ms / 6_000) / 10} min`;
}
