import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { withDockerEngine } from "./docker-engine.mjs";
import { withTestImages } from "./images/test-images.mjs";
import { provision } from "./provision.mjs";
import { runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

/**
 * `npm run campaign`: runs on a fleet that is broken again and again, from a bare clone. Arguments are the campaign's;
 * with `--runtime docker` there is an engine for it, with images of this checkout.
 */
await runScript(async () => {
  const args = process.argv.slice(2);
  const inContainers = / --runtime[ =]docker /.test(` ${args.join(" ")} `);
  const forContainers = ["docker", "debootstrap", "iptables", "iproute"];
  await provision(["git", "rabbitmq", "postgres", ...(inContainers ? forContainers : [])]);
  const { node, env } = await bootstrap({ dev: true });
  const run = (runEnv) =>
    runForeground(node, [join(root, "apps/campaign/src/main.ts"), ...args], { env: runEnv });
  if (!inContainers) return run(env);
  return withDockerEngine(env, async (engineEnv) => run(await withTestImages(engineEnv)));
});
