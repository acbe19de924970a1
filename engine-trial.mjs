import { withDockerEngine } from "./scripts/docker-engine.mjs";
import { spawnSync } from "node:child_process";
await withDockerEngine(process.env, async (env) => {
  const all = { ...process.env, ...env };
  for (const args of [["doctor", "--runtime", "docker"], ["doctor"]]) {
    const r = spawnSync("node", ["apps/cli/bin/speckit.mjs", ...args], { encoding: "utf8", env: { ...all, SPECKIT_HOME: "/tmp/h-doctor-s", SPECKIT_AGENT: "scripted" } });
    console.log(r.stdout, r.stderr, r.status);
  }
  const files = process.argv.slice(2);
  if (files.length) { const r = spawnSync("vitest", ["run", "--config", "vitest.workspace.ts", ...files], { stdio: "inherit", env: all }); console.log("RC", r.status); }
});
