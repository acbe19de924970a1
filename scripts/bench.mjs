import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { provision } from "./provision.mjs";
import { Refusal, runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

/** `npm run bench:overhead` and `npm run bench:recovery`, from a bare clone. Further arguments are the bench's. */
await runScript(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (name !== "overhead" && name !== "recovery") {
    throw new Refusal(`expected overhead or recovery, got ${name ?? "nothing"}`, 2);
  }
  await provision(["git", "rabbitmq"]);
  const { node, env } = await bootstrap({ dev: false });
  return runForeground(node, [join(root, `bench/src/${name}-main.ts`), ...args], { env });
});
