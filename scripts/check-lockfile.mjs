import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./checkout.mjs";
import { Refusal, runScript } from "./refusal.mjs";

/** The lockfile names no download address: each machine installs from the registry it is configured for. */
await runScript(async () => {
  const lines = readFileSync(join(root, "pnpm-lock.yaml"), "utf8").split("\n");
  const addresses = lines.flatMap((line, index) =>
    line.includes("://") ? [`${index + 1}: ${line.trim()}`] : [],
  );
  if (addresses.length > 0) {
    throw new Refusal(`pnpm-lock.yaml holds download addresses:\n  ${addresses.join("\n  ")}`);
  }
  return 0;
});
