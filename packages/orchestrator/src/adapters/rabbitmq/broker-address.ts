import { SpeckitError } from "../../domain/speckit-error.ts";

/** Seconds. The broker's own default of 60 would notice a frozen peer after two or three minutes. */
const HEARTBEAT_SECONDS = 15;

export interface BrokerAddress {
  /** With the heartbeat, unless the URL sets one. */
  readonly url: string;
  /** For people, without credentials: `RabbitMQ at localhost:5672`. */
  readonly description: string;
}

/** @throws SpeckitError `CONFIGURATION_INVALID`; never shows the URL, which may hold a password */
export function brokerAddress(text: string): BrokerAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["amqp:", "amqps:"].includes(url.protocol) || url.hostname === "") {
    const came = url === undefined ? "something that is no URL" : `${url.protocol}//…`;
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `The address of RabbitMQ is ${came}, expected amqp://user:password@host:port/vhost or amqps://…`,
    );
  }
  if (!url.searchParams.has("heartbeat")) {
    url.searchParams.set("heartbeat", String(HEARTBEAT_SECONDS));
  }
  const port = url.port || (url.protocol === "amqps:" ? "5671" : "5672");
  return { url: url.href, description: `RabbitMQ at ${url.hostname}:${port}` };
}
