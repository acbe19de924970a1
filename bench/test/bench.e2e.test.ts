import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram, tempFolder, testEngine } from "@speckit/testkit";
import { expect, inject, test } from "vitest";

const mainOf = (name: string) => fileURLToPath(new URL(`../src/${name}-main.ts`, import.meta.url));

interface Kept {
  readonly samples: Readonly<Record<string, readonly number[]>>;
  readonly tables: readonly { readonly rows: readonly (readonly string[])[] }[];
}

/** The smallest sizes, on the services of the tests: that it runs, not what it measures. */
async function smoke(
  name: string,
  parts: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Kept & { stdout: string }> {
  await using folder = await tempFolder("bench");
  const json = join(folder.path, "samples", "bench.json");
  const args = ["--smoke", "--json", json, ...parts.flatMap((part) => ["--part", part])];
  const env = { AMQP_URL: inject("amqpUrl"), DATABASE_URL: inject("databaseUrl"), ...more };
  const { exitCode, stdout, stderr } = await runProgram(mainOf(name), args, {
    env,
    timeoutMs: 110_000,
  });
  expect(exitCode, stderr).toBe(0);
  return { stdout, ...JSON.parse(await readFile(json, "utf8")) };
}

const everyNumber = ({ samples }: Kept): readonly number[] => Object.values(samples).flat();

test("the overhead bench measures runs beside their floor, and every ratio is a number", async () => {
  const kept = await smoke("overhead", ["latency"]);
  expect(everyNumber(kept).length).toBeGreaterThan(0);
  expect(everyNumber(kept).every((ms) => Number.isFinite(ms) && ms > 0)).toBe(true);
  const ratios = kept.tables.flatMap(({ rows }) => rows.flat().filter((cell) => / x$/.test(cell)));
  expect(ratios).toHaveLength(14);
  expect(ratios.every((text) => Number.parseFloat(text) > 0)).toBe(true);
  expect(kept.stdout).not.toMatch(/NaN|Infinity/);
}, 120_000);

test("the recovery bench kills a worker and sees its phase start again on the standby", async () => {
  const kept = await smoke("recovery", ["kills"]);
  expect(kept.samples["kill to next start, with the session lock"]).toEqual([expect.any(Number)]);
  expect(everyNumber(kept).every(Number.isFinite)).toBe(true);
}, 120_000);

test("the agent bench measures Codex called by hand, by a worker's parts and in a run", async () => {
  const kept = await smoke("agent", ["phases"]);
  for (const phase of ["specify", "plan", "tasks"]) {
    for (const way of ["bare", "own", "whole"]) {
      expect(kept.samples[`${phase}, ${way}`]?.every((ms) => ms > 0)).toBe(true);
    }
  }
  const ratios = kept.tables.flatMap(({ rows }) => rows.flat().filter((cell) => / x$/.test(cell)));
  expect(ratios).toHaveLength(6);
  expect(kept.stdout).not.toMatch(/NaN|Infinity/);
}, 120_000);

test("the agent bench has a recorded stream read by a worker, line by line to its end", async () => {
  const kept = await smoke("agent", ["event-stream"]);
  const rows = kept.tables.flatMap(({ rows }) => rows).filter((row) => row.length === 8);
  expect(rows).toHaveLength(2);
  for (const row of rows) {
    expect(row.at(-1)).toBe("MODEL_NOT_FOUND");
    expect(Number(row[1])).toBeGreaterThan(1_000);
  }
}, 120_000);

/** The engine of the tests, with its images. */
function engineEnvironment(): Readonly<Record<string, string>> {
  const engine = testEngine();
  return {
    DOCKER_HOST: engine.dockerHost,
    SPECKIT_JOB_IMAGE: engine.image("job"),
    SPECKIT_GATEWAY_IMAGE: engine.image("worker"),
  };
}

test("the container bench measures a run beside plain containers, piece by piece, and leaves none", async () => {
  const kept = await smoke("docker", ["runs"], engineEnvironment());
  expect(kept.samples.whole).toHaveLength(1);
  expect(kept.samples["plain whole"]).toHaveLength(1);
  expect(kept.samples["plain first byte"]).toHaveLength(3);
  expect(everyNumber(kept).every((ms) => Number.isFinite(ms) && ms > 0)).toBe(true);
  expect(kept.stdout).not.toMatch(/NaN|Infinity/);
}, 120_000);

test("the container bench measures a workspace beside clones of the same repository", async () => {
  const kept = await smoke("docker", ["workspace"], engineEnvironment());
  expect(Object.keys(kept.samples)).toHaveLength(5);
  expect(everyNumber(kept).every((ms) => Number.isFinite(ms) && ms > 0)).toBe(true);
  expect(kept.stdout).not.toMatch(/NaN|Infinity/);
}, 120_000);

test("the gateway bench measures calls straight and through the gateway, and its memory at two sizes", async () => {
  const kept = await smoke("gateway", ["latency", "throughput", "streams"]);
  for (const provider of ["openai", "anthropic", "gemini"]) {
    for (const way of ["direct", "gateway"]) {
      expect(kept.samples[`${provider}, first byte, ${way}`]?.every((ms) => ms > 0)).toBe(true);
    }
  }
  const ratios = kept.tables.flatMap(({ rows }) => rows.flat().filter((cell) => / x$/.test(cell)));
  expect(ratios).toHaveLength(9);
  const memory = kept.tables.flatMap(({ rows }) => rows).filter(([readers]) => readers === "quick");
  expect(memory).toHaveLength(2);
  expect(kept.stdout).not.toMatch(/NaN|Infinity/);
}, 120_000);

test("a part that there is not is refused by name", async () => {
  const { exitCode, stderr } = await runProgram(mainOf("overhead"), ["--part", "sleep"]);
  expect(exitCode).toBe(2);
  expect(stderr).toBe(
    'bench: --part: expected one of latency, throughput, idle, big-output, cold-start, got "sleep"\n',
  );
});
