import { baseImage } from "./base-image.mjs";
import { buildImage } from "./build-image.mjs";
import { checkEngine } from "./docker.mjs";
import { recipes } from "./recipes.mjs";

/** Builds what the tests run in containers, where inputs have changed; the environment then names the images. */
export async function withTestImages(env) {
  checkEngine(env);
  const base = await baseImage(env);
  const named = { ...env };
  for (const [name, recipe] of Object.entries(recipes)) {
    named[`SPECKIT_TEST_IMAGE_${name.toUpperCase()}`] = await buildImage(recipe, base, env);
  }
  return named;
}
