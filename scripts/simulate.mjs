import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

/** `npm run simulate`: seeded schedules of workers over ports in memory. Arguments are the simulation's. */
await runScript(async () => {
  const { node, env } = await bootstrap({ dev: true });
  return runForeground(
    node,
    [join(root, "packages/simulation/src/main.ts"), ...process.argv.slice(2)],
    { env },
  );
});
