import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Bench } from "../bench.ts";
import { three } from "../format.ts";
import { type Summary, sampled, summaryOf, timed } from "../statistics.ts";
import { stopEmbeddedServer } from "../stop-embedded-server.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BIN = fileURLToPath(new URL("../../../apps/cli/bin/speckit.mjs", import.meta.url));

/** How long the terminal's commands take from their start to their end. */
export async function measureColdStart(bench: Bench): Promise<void> {
  const { services, sizes } = bench;
  const home = `${services.folder}/cold-start`;
  const env = { SPECKIT_HOME: home, DATABASE_URL: "", AMQP_URL: "" };
  const call = (file: string, args: readonly string[]) =>
    execa(file, args, { cwd: ROOT, env, stdin: "ignore" });
  const cli = (...args: string[]) => call(process.execPath, [BIN, ...args]);
  const { stdout } = await cli("submit", "example/cold", "Start", "--agent", "scripted", "--json");
  const { runId } = JSON.parse(stdout);
  const measure = async (before: () => Promise<unknown>, work: () => Promise<unknown>) =>
    summaryOf(
      await sampled({ times: sizes.coldStarts, ms: 30_000 }, async () => {
        await before();
        return timed(work);
      }),
    );
  const nothing = async () => {};
  const measured: readonly (readonly [string, Summary])[] = [
    ["node -e 0", await measure(nothing, () => call(process.execPath, ["-e", "0"]))],
    ["speckit --version", await measure(nothing, () => cli("--version"))],
    ["npx speckit --version", await measure(nothing, () => call("npx", ["speckit", "--version"]))],
    ["speckit status, database running", await measure(nothing, () => cli("status", runId))],
    [
      "npx speckit status, database running",
      await measure(nothing, () => call("npx", ["speckit", "status", runId])),
    ],
    [
      "speckit status, database stopped",
      await measure(
        () => stopEmbeddedServer(home),
        () => cli("status", runId),
      ),
    ],
  ];
  await stopEmbeddedServer(home);
  bench.table(
    "From start to end, in milliseconds",
    ["command", "times", "p50", "max"],
    measured.map(([name, { count, p50, max }]) => [name, String(count), three(p50), three(max)]),
  );
}
