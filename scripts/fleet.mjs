import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { provision } from "./provision.mjs";
import { runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

/** `npm run fleet`: several workers on a real broker and database, from a bare clone. Arguments are the fleet's. */
await runScript(async () => {
  await provision(["git", "rabbitmq"]);
  const { node, env } = await bootstrap({ dev: false });
  return runForeground(node, [join(root, "apps/fleet/src/main.ts"), ...process.argv.slice(2)], {
    env,
  });
});
