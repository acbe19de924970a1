// Packs the library as it would be published: `npm run pack [-- FOLDER]`, default `dist/`.
// Node does not strip types below node_modules, so a package holds JavaScript and declarations. All
// of it is put together in a folder of its own: what is running from the sources is not disturbed.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { root } from "./checkout.mjs";
import { Refusal, runScript } from "./refusal.mjs";
import { runForeground } from "./run-foreground.mjs";

const library = join(root, "packages", "orchestrator");

await runScript(async () => {
  const destination = resolve(process.argv[2] ?? join(root, "dist"));
  mkdirSync(destination, { recursive: true });
  const { env } = await bootstrap({ dev: true });
  const stage = mkdtempSync(join(tmpdir(), "speckit-pack-"));
  const run = async (command, args, cwd) => {
    const code = await runForeground(command, args, { cwd, env });
    if (code !== 0) throw new Refusal(`${command} failed (exit code ${code})`);
  };
  try {
    const build = ["-p", "tsconfig.build.json", "--outDir", join(stage, "dist")];
    await run(join(root, "node_modules/.bin/tsc"), build, library);
    cpSync(join(library, "agents"), join(stage, "agents"), { recursive: true });
    cpSync(join(root, "migrations"), join(stage, "migrations"), { recursive: true });
    cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
    writeFileSync(join(stage, "package.json"), JSON.stringify(manifest(), null, 2));
    await run("npm", ["pack", "--silent", "--pack-destination", destination], stage);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  return 0;
});

/** The manifest as published: what `publishConfig` says instead of the sources, nothing for developing. */
function manifest() {
  const text = readFileSync(join(library, "package.json"), "utf8");
  const { devDependencies: _developing, publishConfig, ...published } = JSON.parse(text);
  const { exports, ...config } = publishConfig;
  return { ...published, exports, publishConfig: config };
}
