// A webhook that starts runs: POST {"repository": "owner/name", "sentence": "…", "key": "…"} with the bearer token.
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import amqp from "amqplib";

const { AMQP_URL, WEBHOOK_TOKEN, PORT = "8090", SPECKIT_AMQP_PREFIX = "speckit" } = process.env;
if (!AMQP_URL || !WEBHOOK_TOKEN) throw new Error("AMQP_URL and WEBHOOK_TOKEN: expected both");
const channel = await (await amqp.connect(AMQP_URL, { noDelay: true })).createConfirmChannel();

createServer(async (request, response) => {
  if (request.headers.authorization !== `Bearer ${WEBHOOK_TOKEN}`) {
    return response.writeHead(401).end();
  }
  const { repository, sentence, key } = await json(request).catch(() => ({}));
  // The same key again is the same run: whoever calls may call twice.
  const run = { schemaVersion: 1, repository, specifyText: sentence, idempotencyKey: key };
  const body = Buffer.from(JSON.stringify(run));
  channel.publish(`${SPECKIT_AMQP_PREFIX}.requests`, "run.request", body, { persistent: true });
  await channel.waitForConfirms();
  response.writeHead(202).end();
}).listen(Number(PORT), "127.0.0.1", () => console.log(`listening on ${PORT}`));
