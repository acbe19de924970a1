import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { provision } from "./provision.mjs";
import { Refusal, runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

const names = ["agent", "overhead", "recovery"];

/** `npm run bench:<name>`, from a bare clone. Further arguments are the bench's. */
await runScript(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (!names.includes(name)) {
    throw new Refusal(`expected ${names.join(" or ")}, got ${name ?? "nothing"}`, 2);
  }
  await provision(["git", "rabbitmq"]);
  // The real Codex and the model it talks to are there for tests.
  const { node, env } = await bootstrap({ dev: name === "agent" });
  return runForeground(node, [join(root, `bench/src/${name}-main.ts`), ...args], { env });
});
