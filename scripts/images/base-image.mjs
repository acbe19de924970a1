import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { announce, Refusal } from "../refusal.mjs";
import { canMakeTree, makeDebianTree, suite } from "./debian-tree.mjs";
import { askDocker } from "./docker.mjs";

/** Version of how the base is made: a new one is imported when it changes. */
const recipe = "1";
const tag = `speckit-base:${suite}-${recipe}`;
const fromRegistry = `debian:${suite}-slim`;

/**
 * The image everything is built on: `BASE_IMAGE`; else the one this script has made from Debian's packages, made now if
 * need be; else, where that cannot be done, Debian's own from the registry.
 */
export async function baseImage(env = process.env) {
  if (env.BASE_IMAGE) return env.BASE_IMAGE;
  if (askDocker(["image", "inspect", "--format", "{{.Id}}", tag], env) !== undefined) return tag;
  if (!canMakeTree()) {
    announce(`base: ${fromRegistry} (root and debootstrap could make one without a registry)`);
    return fromRegistry;
  }
  const folder = mkdtempSync(join(tmpdir(), "speckit-debian-"));
  try {
    await makeDebianTree(folder);
    await importTree(folder, env);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return tag;
}

async function importTree(folder, env) {
  const tar = spawn("tar", ["--numeric-owner", "-C", folder, "-c", "."], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const docker = spawn("docker", ["import", "--change", 'CMD ["bash"]', "-", tag], {
    env,
    stdio: ["pipe", "ignore", "inherit"],
  });
  const ends = Promise.all([once(tar, "exit"), once(docker, "exit")]);
  await pipeline(tar.stdout, docker.stdin).catch(() => {});
  const codes = (await ends).map(([code]) => code);
  if (codes.some((code) => code !== 0)) throw new Refusal(`docker import ${tag} failed`);
}
