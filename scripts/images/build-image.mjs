import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../checkout.mjs";
import { announce } from "../refusal.mjs";
import { askDocker, runDocker } from "./docker.mjs";
import { hashInputs } from "./hash-inputs.mjs";
import { writePackageList } from "./package-list.mjs";

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** `speckit-job:0.1.0`. */
export function tagOf({ repository }) {
  return `${repository}:${version}`;
}

/**
 * Builds an image unless the one that is there was made of the same inputs: their hash is its label.
 *
 * Files build with the legacy builder, which is asked for where there is no other. Builds use the host's network, for
 * the package mirror alone: an engine without bridges can build too.
 */
export async function buildImage(recipe, base, env = process.env) {
  const tag = tagOf(recipe);
  const architecture = askDocker(["version", "--format", "{{.Server.Arch}}"], env);
  const buildArguments = {
    BASE_IMAGE: base,
    ...registry(env),
    ...recipe.buildArguments(architecture),
    ...Object.fromEntries(
      recipe.options.filter((name) => env[name]).map((name) => [name, env[name]]),
    ),
  };
  const baseId = askDocker(["image", "inspect", "--format", "{{.Id}}", base], env) ?? base;
  const inputs = hashInputs(recipe.inputs, [version, baseId, buildArguments]);
  const format = '{{index .Config.Labels "speckit.inputs"}}';
  if (askDocker(["image", "inspect", "--format", format, tag], env) === inputs) return tag;
  announce(`building ${tag}`);
  const startedAt = Date.now();
  const labels = {
    ...recipe.labels,
    "org.opencontainers.image.version": version,
    "speckit.inputs": inputs,
  };
  const options = [
    ...Object.entries(buildArguments).flatMap(([name, value]) => [
      "--build-arg",
      `${name}=${value}`,
    ]),
    ...Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
  ];
  const context = await recipe.context(env);
  const network = env.SPECKIT_BUILD_NETWORK || "host";
  const args = ["build", "--network", network, "--force-rm", "-t", tag, ...options, context];
  await runDocker(`build ${tag}`, args, { ...env, ...builder(env) });
  // The legacy builder leaves what a stage has fetched behind, as an image without a name.
  askDocker(["image", "prune", "-f", "--filter", "label=speckit.stage=fetch"], env);
  // So is what had the tag until now, unless a container still uses it.
  askDocker(["image", "prune", "-f", "--filter", "label=speckit.inputs"], env);
  await writePackageList(recipe, tag, env);
  const bytes = Number(askDocker(["image", "inspect", "--format", "{{.Size}}", tag], env));
  announce(
    `built ${tag}: ${Math.round(bytes / 1e6)} MB, ${Math.round((Date.now() - startedAt) / 1000)} s`,
  );
  return tag;
}

/** Where this machine's npm fetches from. */
function registry(env) {
  const asked = spawnSync("npm", ["config", "get", "registry"], { env, encoding: "utf8" });
  return { NPM_REGISTRY: asked.stdout.trim().replace(/\/$/, "") };
}

function builder(env) {
  if (env.DOCKER_BUILDKIT) return {};
  const hasBuildx = spawnSync("docker", ["buildx", "version"], { env, stdio: "ignore" });
  return { DOCKER_BUILDKIT: hasBuildx.status === 0 ? "1" : "0" };
}
