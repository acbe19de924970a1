import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

/** `npm start`: the demo, from a bare clone. Arguments are the demo's. */
await runScript(async () => {
  const { node, env } = await bootstrap({ dev: false });
  return runForeground(
    node,
    [join(root, "apps/cli/bin/speckit.mjs"), "demo", ...process.argv.slice(2)],
    { env },
  );
});
