import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/**
 * The real Codex CLI, as the test command installs it: path of the native program, which needs no
 * Node and finds its own tools beside itself. Nothing that runs outside of tests depends on it.
 *
 * @throws Error that says what to run when it is not installed, or not made for this system
 */
export function codexBinary(): string {
  try {
    const launcher = require.resolve("@openai/codex/package.json");
    const native = createRequire(launcher).resolve(
      `@openai/codex-${process.platform}-${process.arch}/package.json`,
    );
    const vendor = join(dirname(native), "vendor");
    const [target = ""] = readdirSync(vendor);
    return join(vendor, target, "bin", process.platform === "win32" ? "codex.exe" : "codex");
  } catch (cause) {
    throw new Error(
      `The Codex CLI for ${process.platform} ${process.arch} is not installed: ` +
        "run `npm test` once, or `pnpm install`",
      { cause },
    );
  }
}
