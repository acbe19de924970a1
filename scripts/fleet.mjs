import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { checkEngine } from "./images/docker.mjs";
import { provision } from "./provision.mjs";
import { runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

/**
 * `npm run fleet [-- --compose]`: several workers on a real broker and database, from a bare clone: processes, or
 * containers on the engine there is. Arguments are the fleet's.
 */
await runScript(async () => {
  const inContainers = process.argv.includes("--compose");
  await provision(inContainers ? ["git", "compose"] : ["git", "rabbitmq"]);
  if (inContainers) checkEngine();
  const { node, env } = await bootstrap({ dev: false });
  return runForeground(node, [join(root, "apps/fleet/src/main.ts"), ...process.argv.slice(2)], {
    env,
  });
});
