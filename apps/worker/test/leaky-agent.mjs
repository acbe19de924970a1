/**
 * An agent that tells its secret: in every form, and cut in two at each place, on both streams. Then it
 * works as the agent does whose program is its argument.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const secret = process.env.ACME_API_KEY ?? "";
const STREAMS = [1, 2];

const say = (text) => {
  for (const stream of STREAMS) writeSync(stream, text);
};
say(`as it is: ${secret}\n`);
say(`in a URL: https://${encodeURIComponent(secret)}@example.org\n`);
say(`in a header: ${Buffer.from(`user:${secret}`).toString("base64")}\n`);
say(`${JSON.stringify({ type: "tool", name: "acme", detail: secret })}\n`);
for (let cut = 1; cut < secret.length; cut += 1) {
  for (const piece of [secret.slice(0, cut), `${secret.slice(cut)}\n`]) {
    say(piece);
    // So that each piece is read by itself.
    await sleep(5);
  }
}
say(`told ${secret.length} characters\n`);

await import(pathToFileURL(process.argv[2]).href);
