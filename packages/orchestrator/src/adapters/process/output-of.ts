import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { agentEnvironment } from "./prepare-home.ts";

const MAX_CHARACTERS = 4_096;
const TIMEOUT_MS = 10_000;

/** What a short command prints, run as an agent would be: in an empty HOME, with the small environment. */
export async function outputOf(argv: readonly [string, ...string[]]): Promise<string | undefined> {
  const [file, ...rest] = argv;
  const home = await mkdtemp(join(tmpdir(), "speckit-ask-"));
  try {
    const { exitCode, stdout } = await execa(file, rest, {
      cwd: home,
      env: { ...agentEnvironment({ env: {}, home }), TMPDIR: home },
      extendEnv: false,
      stdin: "ignore",
      stderr: "ignore",
      reject: false,
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_CHARACTERS,
      forceKillAfterDelay: 500,
    });
    return exitCode === 0 ? stdout : undefined;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
