import { bootstrap } from "./bootstrap.mjs";
import { baseImage } from "./images/base-image.mjs";
import { buildImage } from "./images/build-image.mjs";
import { checkEngine } from "./images/docker.mjs";
import { recipes } from "./images/recipes.mjs";
import { Refusal, runScript } from "./refusal.mjs";

/**
 * `npm run images [-- NAME…]`: builds `job` and `worker`, or what is named, on the engine that DOCKER_HOST says; prints
 * their tags. What is there and was made of the same inputs is left as it is.
 */
await runScript(async () => {
  const names = process.argv.length > 2 ? process.argv.slice(2) : ["job", "worker"];
  const unknown = names.filter((name) => recipes[name] === undefined);
  if (unknown.length > 0) {
    throw new Refusal(
      `no image ${unknown.join(", ")}; there are ${Object.keys(recipes).join(", ")}`,
      2,
    );
  }
  checkEngine();
  // The worker's packages are compiled.
  const { env } = names.includes("worker") ? await bootstrap({ dev: true }) : { env: process.env };
  const base = await baseImage(env);
  for (const name of names) console.log(await buildImage(recipes[name], base, env));
  return 0;
});
