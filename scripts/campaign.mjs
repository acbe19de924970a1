import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { provision } from "./provision.mjs";
import { runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

/** `npm run campaign`: runs on a fleet that is broken again and again, from a bare clone. Arguments are the campaign's. */
await runScript(async () => {
  await provision(["git", "rabbitmq", "postgres"]);
  const { node, env } = await bootstrap({ dev: true });
  return runForeground(node, [join(root, "apps/campaign/src/main.ts"), ...process.argv.slice(2)], {
    env,
  });
});
