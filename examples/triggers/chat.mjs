// Tells a chat what runs have come to: posts {"text": "…"} to CHAT_WEBHOOK_URL, as most chats take it.
import amqp from "amqplib";

const { AMQP_URL, CHAT_WEBHOOK_URL, SPECKIT_AMQP_PREFIX = "speckit" } = process.env;
if (!AMQP_URL || !CHAT_WEBHOOK_URL) throw new Error("AMQP_URL and CHAT_WEBHOOK_URL: expected both");
const channel = await (await amqp.connect(AMQP_URL, { noDelay: true })).createChannel();
// Durable and named: what happens while this program is away is told when it is back.
const { queue } = await channel.assertQueue("chat", { arguments: { "x-queue-type": "quorum" } });
for (const key of ["run.succeeded", "run.failed", "run.needs_input"]) {
  await channel.bindQueue(queue, `${SPECKIT_AMQP_PREFIX}.events`, key);
}
await channel.prefetch(1);
await channel.consume(queue, async (message) => {
  const { type, subject, data } = JSON.parse(message.content.toString());
  const more = data.pullRequest?.url ?? data.branch ?? data.failure?.message ?? "";
  const text = `${type.replace("speckit.run.", "")}: run ${subject} ${more}`;
  const headers = { "content-type": "application/json" };
  const post = { method: "POST", headers, body: JSON.stringify({ text }) };
  const { ok } = await fetch(CHAT_WEBHOOK_URL, post).catch(() => ({ ok: false }));
  setTimeout(() => (ok ? channel.ack(message) : channel.nack(message)), ok ? 0 : 5_000);
});
console.log("listening to events");
