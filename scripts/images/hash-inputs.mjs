import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { root } from "../checkout.mjs";
import { Refusal } from "../refusal.mjs";

/** Nothing of these gets into an image. */
const leftOut = /(^|\/)(test|node_modules|dist)\//;

/** One hash of what git tracks, or would, below the paths, as it lies in the checkout now. */
export function hashInputs(paths, more) {
  const listed = spawnSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...paths],
    { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  if (listed.status !== 0) throw new Refusal(`git ls-files failed: ${listed.stderr}`);
  const hash = createHash("sha256").update(JSON.stringify(more));
  const files = listed.stdout.split("\0").filter((path) => path !== "" && !leftOut.test(path));
  for (const path of files.sort()) {
    const absolute = join(root, path);
    if (!existsSync(absolute)) continue;
    const stat = lstatSync(absolute);
    hash.update(`\0${path}\0${stat.mode & 0o111 ? "x" : "-"}\0`);
    hash.update(stat.isSymbolicLink() ? readlinkSync(absolute) : readFileSync(absolute));
  }
  return hash.digest("hex");
}
