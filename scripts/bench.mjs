import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { withDockerEngine } from "./docker-engine.mjs";
import { baseImage } from "./images/base-image.mjs";
import { buildImage } from "./images/build-image.mjs";
import { recipes } from "./images/recipes.mjs";
import { provision } from "./provision.mjs";
import { Refusal, runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

const names = ["agent", "docker", "gateway", "overhead", "recovery"];

/** `npm run bench:<name>`, from a bare clone. Further arguments are the bench's. */
await runScript(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (!names.includes(name)) {
    throw new Refusal(`expected ${names.join(" or ")}, got ${name ?? "nothing"}`, 2);
  }
  const needs = ["git", "rabbitmq"];
  const ofContainers = ["docker", "debootstrap", "iptables", "iproute"];
  await provision(name === "docker" ? [...needs, ...ofContainers] : needs);
  // The real Codex and the model that is talked to are there for tests; the worker's image is compiled.
  const { node, env } = await bootstrap({ dev: ["agent", "docker", "gateway"].includes(name) });
  const run = (env) =>
    runForeground(node, [join(root, `bench/src/${name}-main.ts`), ...args], { env });
  return name === "docker" ? withDockerEngine(env, (env) => withImages(env, run)) : run(env);
});

/** Where jobs run, and where their gateway does. */
async function withImages(env, run) {
  const base = await baseImage(env);
  const job = await buildImage(recipes.job, base, env);
  const worker = await buildImage(recipes.worker, base, env);
  return run({ ...env, SPECKIT_JOB_IMAGE: job, SPECKIT_GATEWAY_IMAGE: worker });
}
